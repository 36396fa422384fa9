import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import type { AttachedHead } from '../targets/head.ts';
import { HIDDEN_INPUT_SCALE } from './classifier-head.ts';
import { pooledFeatures } from './linear-features.ts';
import { ParameterMaker } from './parameters.ts';
import type { Student } from './student.ts';

/**
 * A head of any kind over embeddings that are computed once: input `embedding`, float32 [batch, width], and the head's own
 * output. Linear unless a hidden layer is asked for.
 */
export function buildHead(
  head: AttachedHead,
  { width, hidden = 0 }: { readonly width: number; readonly hidden?: number },
  random: RandomStream,
): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  const embedding = g.input('embedding', 'float32', ['batch', width]);
  let [x, inputs] = [embedding, width];
  if (hidden > 0) {
    const weight = make.he('hidden/weight', width, hidden);
    const bias = make.constant('hidden/bias', [hidden], 0);
    x = g.relu(g.gemm(g.mul(embedding, HIDDEN_INPUT_SCALE), weight, bias));
    inputs = hidden;
  }
  g.output(head.attach(g, make, pooledFeatures(g, make, x, inputs)), head.output);
  return make.finish(g.build('head'));
}
