import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import { ParameterMaker } from './parameters.ts';
import type { Student } from './student.ts';

export interface ClassifierHeadOptions {
  /** Width of the frozen embeddings. */
  readonly width: number;
  readonly classes: number;
  /** Width of a hidden tanh layer; 0 for a linear head. */
  readonly hidden?: number;
}

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
    x = g.tanh(
      g.gemm(
        x,
        make.glorot('head/hidden/weight', width, hidden),
        make.constant('head/hidden/bias', [hidden], 0),
      ),
    );
  }
  const inputs = hidden > 0 ? hidden : width;
  const weight = make.glorot('head/weight', inputs, classes);
  g.output(g.gemm(x, weight, make.constant('head/bias', [classes], 0)), 'logits');
  return { graph: g.build('classifier-head'), parameters: make.names };
}
