import { normalizesByBatch } from '../running-statistics.ts';
import type { Decomposition } from './decomposition.ts';

/** A BatchNormalization in training form with its running statistics as outputs: they are what it learns. */
const withStatistics: Decomposition = ({ g, node, inputs }) => {
  if (!normalizesByBatch(node) || (node.outputs[1] && node.outputs[2])) return undefined;
  return g.node('BatchNormalization', inputs, Object.fromEntries(node.attributes), { outputs: 3 });
};

export const BATCH_NORMALIZATION: Record<string, Decomposition> = { BatchNormalization: withStatistics };
