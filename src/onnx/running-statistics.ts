import { LimbeckError } from '../errors.ts';
import { type Graph, intAttribute, type Node, type Value } from './graph.ts';

/** A running mean or variance that a batch normalisation keeps, and the value that one more batch makes of it. */
export interface RunningStatistic {
  /** An initializer. */
  readonly value: Value;
  readonly next: Value;
}

/** Inputs of BatchNormalization with the running mean and variance, and the outputs with what they become. */
const STATISTICS = [
  { input: 3, output: 1 },
  { input: 4, output: 2 },
] as const;

/** Whether a node normalises by the statistics of its batch (BatchNormalization with training_mode, opset 14). */
export function normalizesByBatch(node: Node): boolean {
  return (
    node.domain === '' && node.opType === 'BatchNormalization' && intAttribute(node, 'training_mode', 0) === 1
  );
}

/**
 * The running statistics of a graph in training form: what has to go from one step to the next beside the parameters,
 * with no gradient. They are those that nodes read from initializers.
 *
 * @throws LimbeckError `train.shared-statistics` when two nodes keep the same ones
 */
export function runningStatistics(graph: Graph): RunningStatistic[] {
  const found = new Map<Value, RunningStatistic>();
  for (const node of graph.nodes.filter(normalizesByBatch)) {
    for (const { input, output } of STATISTICS) {
      const [value, next] = [node.inputs[input], node.outputs[output]];
      if (!value || !next || !graph.initializers.has(value)) continue;
      if (found.has(value)) {
        // ONNX Runtime 1.30 writes the first node's result over the tensor that it was fed.
        throw new LimbeckError(
          'train.shared-statistics',
          `two batch normalisations keep the same running statistics '${value.name}'`,
          { where: `node '${node.name}'`, remedy: 'Give each its own running mean and variance.' },
        );
      }
      found.set(value, { value, next });
    }
  }
  return [...found.values()];
}
