import type { z } from 'zod';
import { registry } from '../registry.ts';
import { adamwOptimizer } from './adamw.ts';
import { lionOptimizer } from './lion.ts';
import type { Optimizer, OptimizerKind } from './optimizer.ts';
import { sgdOptimizer } from './sgd.ts';

/** The optimizers that recipes and `limbeck compile` can name. To add one: a file beside these, and a line here. */
export const OPTIMIZERS = registry('optimizer', [adamwOptimizer, sgdOptimizer, lionOptimizer]);

type Entry = (typeof OPTIMIZERS)[number];

/** One of the registered optimizers with its options: `{ kind: 'sgd', momentum: 0.9, ... }`. */
export type OptimizerOptions = {
  [E in Entry as E['kind']]: { kind: E['kind'] } & z.output<E['options']>;
}[Entry['kind']];

/** The same with defaults left out: `{ kind: 'sgd' }`. */
export type OptimizerInput = {
  [E in Entry as E['kind']]: { kind: E['kind'] } & z.input<E['options']>;
}[Entry['kind']];

/** The optimizer that the options describe. */
export function createOptimizer({ kind, ...options }: OptimizerOptions): Optimizer {
  const entries: readonly OptimizerKind[] = OPTIMIZERS as readonly unknown[] as readonly OptimizerKind[];
  const entry = entries.find((candidate) => candidate.kind === kind);
  if (!entry) throw new Error(`no optimizer ${kind}`);
  return entry.create(options);
}
