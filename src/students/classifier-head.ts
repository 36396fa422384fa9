import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import { ParameterMaker } from './parameters.ts';
import type { Student } from './student.ts';

export interface ClassifierHeadOptions {
  /** Width of the frozen embeddings. */
  readonly width: number;
  readonly classes: number;
  /** Width of a hidden ReLU layer; 0 for a linear head. */
  readonly hidden?: number;
}

/**
 * A head with a hidden layer multiplies embeddings by this first. They have length 1, so their elements are small and
 * a layer on them learns slowly (docs/measurements-use-lite.md: 10 was the best of 5 to 40). Folded into the weight
 * when the head is put on its encoder.
 */
export const HIDDEN_INPUT_SCALE = 10;

/**
 * A classifier over embeddings that are computed once: input `embedding`, float32 [batch, width];
 * output `logits`, float32 [batch, classes]. Linear unless a hidden layer is asked for.
 */
export function buildClassifierHead(options: ClassifierHeadOptions, random: RandomStream): Student {
  const { width, classes, hidden = 0 } = options;
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  let x = g.input('embedding', 'float32', ['batch', width]);
  if (hidden > 0) {
    const weight = make.he('head/hidden/weight', width, hidden);
    x = g.relu(g.gemm(g.mul(x, HIDDEN_INPUT_SCALE), weight, make.constant('head/hidden/bias', [hidden], 0)));
  }
  const inputs = hidden > 0 ? hidden : width;
  const weight = make.glorot('head/weight', inputs, classes);
  g.output(g.gemm(x, weight, make.constant('head/bias', [classes], 0)), 'logits');
  return make.finish(g.build('classifier-head'));
}
