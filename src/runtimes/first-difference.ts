import type { Graph, Node } from '../onnx/graph.ts';
import { takeBranch } from '../onnx/passes/take-branch.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { differenceOf, type Incomparable, largestOf, numbersOf } from './compare-answers.ts';
import type { Feeds } from './measurement.ts';

/** A part of a value's size that two runtimes may differ by: rounding in another order. */
const ROUNDING = 1e-4;

/** Where two runtimes first compute something else. */
export interface FirstDifference {
  /** The node and what it makes, in the order of the graph. */
  readonly node: string;
  readonly operator: string;
  readonly value: string;
  /** null where no number tells it. */
  readonly difference: number | null;
  readonly incomparable?: Incomparable;
  readonly largestValue: number;
}

/** What two runtimes computed, by the names of values. */
export type Computed = readonly [ours: Feeds, others: Feeds];

/**
 * Has a model run with all that its nodes compute as outputs, in two runtimes, and gives the first value that differs by more than
 * rounding. Where that is one of an `If`, the branch that both runtimes take is looked into in the same way. Undefined where no
 * value differs: operators that are fused otherwise are apart then, so that one of those is the cause.
 *
 * @param compute gives the outputs of a model for the feeds, in both runtimes
 */
export async function firstDifference(
  graph: Graph,
  feeds: Feeds,
  compute: (model: Uint8Array) => Promise<Computed>,
): Promise<FirstDifference | undefined> {
  let found: FirstDifference | undefined;
  for (let flat = graph; ; ) {
    const outputs = flat.nodes.flatMap((node) => node.outputs.flatMap((value) => value ?? []));
    const computed = await compute(writeModel({ ...flat, outputs }));
    const first = firstIn(flat, computed);
    // What a branch ends with is the If's own value: nothing inside of it differed before.
    if (!first || first.told.value === found?.value) return found;
    found = first.told;
    const condition = conditionOf(first.node, flat, feeds, computed);
    if (condition === undefined) return found;
    flat = takeBranch(flat, first.node, condition);
  }
}

function firstIn(
  { nodes }: Graph,
  [ours, others]: Computed,
): { readonly node: Node; readonly told: FirstDifference } | undefined {
  for (const node of nodes) {
    for (const value of node.outputs) {
      const [a, b] = [ours[value?.name ?? ''], others[value?.name ?? '']] as (Tensor | undefined)[];
      if (!value || !a || !b || Array.isArray(a.data)) continue;
      const numbers = numbersOf(a);
      const largestValue = largestOf(numbers);
      const difference = differenceOf(numbers, numbersOf(b));
      const isNumber = typeof difference === 'number';
      if (isNumber && difference <= ROUNDING * Math.max(largestValue, 1e-6)) continue;
      const told = { node: node.name, operator: node.opType, value: value.name, largestValue };
      return {
        node,
        told: isNumber ? { ...told, difference } : { ...told, difference: null, incomparable: difference },
      };
    }
  }
  return undefined;
}

/** Which branch of an `If` is taken; undefined of other nodes. Everything before it is alike, the condition too. */
function conditionOf(
  { opType, domain, inputs: [condition] }: Node,
  { initializers }: Graph,
  feeds: Feeds,
  [ours]: Computed,
): boolean | undefined {
  if (opType !== 'If' || domain !== '' || !condition) return undefined;
  const told = ours[condition.name] ?? feeds[condition.name] ?? initializers.get(condition);
  return told && Number(told.data[0]) !== 0;
}
