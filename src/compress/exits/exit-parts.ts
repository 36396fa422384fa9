import { isFloat } from '../../onnx/data-type.ts';
import type { Graph, Node, Value } from '../../onnx/graph.ts';
import { elementCount, type Tensor } from '../../onnx/tensor.ts';
import { usedValues } from '../../onnx/used-values.ts';
import { answeredExits } from './answered-exits.ts';
import { BranchParts, type NewValue } from './branch-parts.ts';
import { producersIn, segmentsOf } from './segments.ts';

/** A value that goes from one part of a network to later ones. */
export interface CarriedValue {
  readonly name: string;
  /** Whether its first axis is that of the samples; the same for all samples otherwise. */
  readonly rows: boolean;
}

/** A network from one exit to the next, as a model of its own. */
export interface ExitPart {
  /** The layer that its exit follows; absent for the last part. */
  readonly layer?: string;
  /**
   * Inputs: the network's own, where it reads one of them, and what earlier parts give. Outputs: `logits` float32
   * [batch, classes], `confidence` float32 [batch], and what it gives to later parts.
   */
  readonly graph: Graph;
  readonly takes: readonly CarriedValue[];
  readonly gives: readonly CarriedValue[];
}

export const LOGITS = 'logits';
export const CONFIDENCE = 'confidence';

/**
 * A network with exits cut into parts, each from one exit to the next: of a batch only the samples that did not leave are given
 * to the next part. What depends on no weight (masks, positions) is computed anew where it is needed; everything else that a
 * later part reads is carried to it.
 */
export function exitParts(graph: Graph): ExitPart[] {
  const { graph: whole, answers } = answeredExits(graph);
  const producers = producersIn(whole);
  const isFree = freeValues(whole);
  const segments = segmentsOf(
    whole,
    answers.map(({ logits, confidence }) => [logits, confidence]),
  );
  const inputs = new Set<Value>(whole.inputs);
  const batch = whole.inputs[0]?.shape?.[0];
  // For each part, what it computes that is its own or free, and what it reads that others computed.
  const needs = segments.map(({ nodes }, i) => {
    const own = new Set<Node>(nodes);
    const carried = new Set<Value>();
    const reads = new Set<Value>([...own].flatMap((node) => [...usedValues(node)]));
    for (const value of reads) {
      const node = producers.get(value);
      if (!node || own.has(node)) continue;
      if (isFree(value)) {
        own.add(node);
        for (const used of usedValues(node)) reads.add(used);
      } else if (!segments[i]?.nodes.includes(node)) carried.add(value);
    }
    return { own, reads, carried };
  });
  return answers.map(({ layer, logits, confidence }, i): ExitPart => {
    const { own, reads, carried } = needs[i] as (typeof needs)[number];
    const later = new Set(needs.slice(i + 1).flatMap((need) => [...need.carried]));
    const given = [...later].filter((value) => segments[i]?.nodes.includes(producers.get(value) as Node));
    const parts = new BranchParts();
    parts.add({
      nodes: whole.nodes.filter((node) => own.has(node)),
      initializers: new Map([...whole.initializers].filter(([value]) => reads.has(value))),
    });
    const outputs = [named(parts, logits, LOGITS), named(parts, confidence, CONFIDENCE), ...given];
    const takesInputs = i === 0 || [...reads].some((value) => inputs.has(value));
    return {
      ...(layer !== undefined && { layer }),
      graph: {
        ...whole,
        ...parts.graph(),
        name: `${whole.name}/part_${i + 1}`,
        inputs: [...(takesInputs ? whole.inputs : []), ...carried],
        outputs,
        metadata: new Map(),
      },
      takes: [...carried].map(carriedAs),
      gives: given.map(carriedAs),
    };
  });

  function carriedAs({ name, shape }: Value): CarriedValue {
    return { name, rows: shape?.[0] === batch };
  }
}

function named(parts: BranchParts, value: Value, name: string): Value {
  return value.name === name ? value : parts.emit('Identity', [value], { ...(value as NewValue), name });
}

/** Which values cost nothing: all that they are computed from are the inputs, whole numbers and single ones. */
function freeValues(graph: Graph): (value: Value) => boolean {
  const free = new Set<Value>(graph.inputs);
  for (const [value, content] of graph.initializers) if (isSmall(content)) free.add(value);
  for (const node of graph.nodes) {
    if (![...usedValues(node)].every((value) => free.has(value))) continue;
    for (const value of node.outputs) if (value) free.add(value);
  }
  return (value) => free.has(value);
}

function isSmall({ type, dims }: Tensor): boolean {
  return elementCount(dims) <= 1 || (!isFloat(type) && elementCount(dims) <= 16);
}
