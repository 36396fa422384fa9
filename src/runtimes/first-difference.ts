import type { Graph } from '../onnx/graph.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { differenceOf, numbersOf } from './compare-answers.ts';
import { type RunLimits, runOn } from './index.ts';
import type { Feeds, RuntimeName } from './measurement.ts';

/** A part of a value's size that two runtimes may differ by: rounding in another order. */
const ROUNDING = 1e-4;

/** Where two runtimes first compute something else. */
export interface FirstDifference {
  /** The node and what it makes, in the order of the graph. */
  readonly node: string;
  readonly operator: string;
  readonly value: string;
  readonly difference: number;
  readonly largestValue: number;
}

/**
 * Runs a model with all that its nodes compute as outputs, on two runtimes, and gives the first value that differs by more than
 * rounding. Undefined where none does: operators that are fused otherwise are apart then, so that one of those is the cause.
 */
export async function firstDifference(
  graph: Graph,
  feeds: Feeds,
  runtimes: readonly [RuntimeName, RuntimeName],
  limits: RunLimits,
): Promise<FirstDifference | undefined> {
  const made = graph.nodes.flatMap((node) =>
    node.outputs.flatMap((value) => (value?.name ? [{ node, value }] : [])),
  );
  const model = writeModel({ ...graph, outputs: made.map(({ value }) => value) });
  const assignment = { model, threads: 1, seconds: 0, one: [], many: [], answered: [feeds], untimed: true };
  const [ours, others] = [
    await runOn(runtimes[0], assignment, limits),
    await runOn(runtimes[1], assignment, limits),
  ].map(({ answers }) => answers[0] as Feeds) as [Feeds, Feeds];
  for (const { node, value } of made) {
    const [a, b] = [ours[value.name], others[value.name]] as [Tensor | undefined, Tensor | undefined];
    if (!a || !b || Array.isArray(a.data)) continue;
    const numbers = numbersOf(a);
    const largestValue = largest(numbers);
    const difference = differenceOf(numbers, numbersOf(b));
    if (difference <= ROUNDING * Math.max(largestValue, 1e-6)) continue;
    return { node: node.name, operator: node.opType, value: value.name, difference, largestValue };
  }
  return undefined;
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] as number) || 0);
  return most;
}
