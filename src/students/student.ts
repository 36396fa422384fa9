import type { Graph } from '../onnx/graph.ts';

/** A model that is to be trained: its graph and the names of the initializers that learn. */
export interface Student {
  /**
   * Inputs and outputs are named as transformers names them; batch and sequence sizes are symbolic. It is in its
   * training form: batch normalisations use the batch's statistics, and keep running ones.
   */
  readonly graph: Graph;
  readonly parameters: readonly string[];
  /**
   * What else it carries from step to step without a gradient, besides the running statistics of batch normalisations: an
   * initializer, and the value that one more batch makes of it, by name.
   */
  readonly statistics?: readonly { readonly value: string; readonly next: string }[];
}
