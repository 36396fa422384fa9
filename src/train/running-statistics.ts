import { floatAttribute, type Graph, intAttribute } from '../onnx/graph.ts';

/** Of the initial values, so much may be left in running statistics. */
const NEGLIGIBLE = 0.05;

/**
 * Warns of a training too short for its batch normalisation: running statistics are a moving average that begins at mean 0 and
 * variance 1, and the exported model computes with them. Undefined where it is long enough.
 */
export function laggingStatistics({ nodes }: Pick<Graph, 'nodes'>, steps: number): string | undefined {
  const momenta = nodes
    .filter((node) => node.opType === 'BatchNormalization' && intAttribute(node, 'training_mode', 0) === 1)
    .map((node) => floatAttribute(node, 'momentum', 0.9));
  const momentum = Math.max(0, ...momenta);
  const left = momentum ** steps;
  if (left <= NEGLIGIBLE) return undefined;
  const enough = Math.ceil(Math.log(NEGLIGIBLE) / Math.log(momentum));
  return `the running statistics of batch normalisation, with which the model answers, are still ${Math.round(100 * left)} % what they began at after ${steps} steps (momentum ${momentum.toPrecision(2)}): it will answer worse than it learnt. Train for ${enough} steps or more, or give the student a lower momentum`;
}
