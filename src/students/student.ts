import type { Graph } from '../onnx/graph.ts';

/** A model that is to be trained: its graph and the names of the initializers that learn. */
export interface Student {
  /**
   * Inputs and outputs are named as transformers names them; batch and sequence sizes are symbolic. It is in its
   * training form: batch normalisations use the batch's statistics, and keep running ones.
   */
  readonly graph: Graph;
  readonly parameters: readonly string[];
}
