import { LimbeckError } from '../../errors.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts';
import { usedValues } from '../used-values.ts';
import { type GraphCosts, graphCosts } from './part-costs.ts';
import { Recomputed } from './recomputed.ts';

/** A stretch of a model that runs alone. */
export interface ModelPart {
  /** Its inputs are some of the model's and what earlier parts carry to it; its outputs what it carries on, and some of the model's. */
  readonly graph: Graph;
  /** What is read from earlier parts. */
  readonly carriedIn: readonly string[];
  /** What later parts read, with the place of the last one that does. */
  readonly carriedOut: ReadonlyMap<string, number>;
  /** The model's own outputs among its outputs. */
  readonly answers: readonly string[];
  readonly weightBytes: number;
  /** What it takes to run it on a batch: its weights, the values that live at once, and a copy of its largest weight. */
  readonly memoryBytes: number;
}

export interface CutOptions {
  /** Bytes that one part may take. */
  readonly memory: number;
  /** The shapes of the inputs as they are fed, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Values in which layers end, by name: the cut goes through them where nothing is narrower. */
  readonly waists?: ReadonlySet<string>;
}

/** A cut beside the end of a layer may split what an engine fuses, so it has to be narrower by this much to be worth it. */
const BESIDE_WAIST = 1.05;
/** In the place of bytes that cannot be told. */
const UNKNOWN_BYTES = 1e12;

/**
 * A model as parts that run one after another, each within a bound of memory: consecutive stretches of its nodes, cut where the
 * fewest bytes go from one to the next. What comes of the inputs by little work (masks, positions) is computed again in each part
 * (`Recomputed`). One part where all fits.
 *
 * @throws LimbeckError `teacher.memory` where one node alone takes more than the bound, with the least bound that would do
 */
export function cutIntoParts(graph: Graph, options: CutOptions): ModelPart[] {
  const live = removeDeadNodes(graph);
  const costs = graphCosts(live, options.shapes);
  const recomputed = new Recomputed(live, costs);
  const ends = cheapestCuts(live, costs, recomputed, options);
  const parts = partsBetween(live, costs, recomputed, ends);
  // A stretch whose values are all computed again elsewhere is no part.
  const empty = parts.map(({ graph: { outputs } }) => outputs.length === 0);
  if (!empty.includes(true)) return parts;
  return partsBetween(
    live,
    costs,
    recomputed,
    ends.filter((_, part) => !empty[part]),
  );
}

/** The weights of a stretch of nodes, as it grows. */
class Stretch {
  readonly #costs: GraphCosts;
  readonly #seen = new Set<Value>();
  weights = 0;
  #largest = 0;
  #live = 0;

  constructor(costs: GraphCosts) {
    this.#costs = costs;
  }

  add(at: number): void {
    for (const weight of this.#costs.weights[at] as readonly Value[]) {
      if (this.#seen.has(weight)) continue;
      this.#seen.add(weight);
      const bytes = this.#costs.bytes.get(weight) ?? 0;
      this.weights += bytes;
      this.#largest = Math.max(this.#largest, bytes);
    }
    this.#live = Math.max(this.#live, this.#costs.live[at] as number);
  }

  /** An engine packs weights for its kernels one after another, so that one of them is there twice for a moment. */
  get memory(): number {
    return this.weights + this.#largest + this.#live;
  }
}

/** The places behind the last nodes of the parts that carry the fewest bytes in all (dynamic programming over the cuts). */
function cheapestCuts(
  graph: Graph,
  costs: GraphCosts,
  recomputed: Recomputed,
  { memory, waists }: CutOptions,
): number[] {
  const { length } = graph.nodes;
  const carried = carriedBytes(graph, costs, recomputed, waists);
  const best = new Float64Array(length + 1).fill(Number.POSITIVE_INFINITY);
  const before = new Int32Array(length + 1);
  best[0] = 0;
  for (let end = 1; end <= length; end++) {
    const stretch = new Stretch(costs);
    for (let start = end - 1; start >= 0; start--) {
      stretch.add(start);
      if (stretch.memory > memory) {
        if (start === end - 1) throw tooSmall(graph, costs, memory);
        break;
      }
      const cost = (best[start] as number) + (carried[start] as number);
      if (cost < (best[end] as number)) {
        best[end] = cost;
        before[end] = start;
      }
    }
  }
  const ends: number[] = [];
  for (let end = length; end > 0; end = before[end] as number) ends.unshift(end);
  return ends;
}

/** What goes over the cut in front of each node, in bytes; nothing in front of the first one. */
function carriedBytes(
  graph: Graph,
  costs: GraphCosts,
  recomputed: Recomputed,
  waists: ReadonlySet<string> = new Set(),
): Float64Array {
  const { length } = graph.nodes;
  const bytes = new Float64Array(length);
  const isBeside = new Uint8Array(length).fill(waists.size > 0 ? 1 : 0);
  for (const [value, madeAt] of costs.madeAt) {
    const last = costs.lastReadAt.get(value) ?? madeAt;
    if (last === madeAt || recomputed.wayTo(value)) continue;
    const own = costs.bytes.get(value) ?? UNKNOWN_BYTES;
    for (let at = madeAt + 1; at <= last; at++) {
      bytes[at]! += own;
      if (waists.has(value.name)) isBeside[at] = 0;
    }
  }
  // A cut costs a little even where nothing goes over it: each part has to be loaded.
  return bytes.map((own, at) => (at === 0 ? 0 : 1 + own * (isBeside[at] ? BESIDE_WAIST : 1)));
}

function partsBetween(
  graph: Graph,
  costs: GraphCosts,
  recomputed: Recomputed,
  ends: readonly number[],
): ModelPart[] {
  const partOf = (at: number) => ends.findIndex((end) => at < end);
  const outputs = new Set(graph.outputs);
  // An output that is an input, or a constant, is given by the first part.
  const answersOf = (part: number) =>
    graph.outputs.filter((value) => partOf(costs.madeAt.get(value) ?? 0) === part);
  const drafts = ends.map((end, part) => {
    const places = new Set<number>();
    for (let at = ends[part - 1] ?? 0; at < end; at++) places.add(at);
    const carriedIn = new Set<Value>();
    const open = [...places].flatMap((at) => [...usedValues(graph.nodes[at] as Node)]);
    for (let value = open.pop(); value; value = open.pop()) {
      const madeAt = costs.madeAt.get(value);
      if (madeAt === undefined || places.has(madeAt)) continue;
      const way = recomputed.wayTo(value);
      if (way) for (const at of way) places.add(at);
      else carriedIn.add(value);
    }
    // What another value's way goes through is made here, too.
    for (const value of carriedIn) if (places.has(costs.madeAt.get(value) as number)) carriedIn.delete(value);
    return { places, carriedIn };
  });
  return drafts.map(({ places, carriedIn }, part): ModelPart => {
    const carriedOut = new Map<Value, number>();
    for (const [later, draft] of drafts.entries()) {
      if (later <= part) continue;
      for (const value of draft.carriedIn)
        if (partOf(costs.madeAt.get(value) as number) === part) carriedOut.set(value, later);
    }
    const answers = answersOf(part);
    const own = subgraph(graph, places, [...new Set([...answers, ...carriedOut.keys()])], carriedIn);
    const stretch = new Stretch(costs);
    for (const at of places) stretch.add(at);
    return {
      graph: { ...own, name: `${graph.name}, part ${part + 1} of ${ends.length}` },
      carriedIn: [...carriedIn].map(({ name }) => name),
      carriedOut: new Map([...carriedOut].map(([{ name }, until]) => [name, until])),
      answers: answers.filter((value) => outputs.has(value)).map(({ name }) => name),
      weightBytes: stretch.weights,
      memoryBytes: stretch.memory,
    };
  });
}

/** Some of a graph's nodes as a graph of their own. */
function subgraph(
  graph: Graph,
  places: ReadonlySet<number>,
  outputs: readonly Value[],
  carriedIn: ReadonlySet<Value>,
): Graph {
  const alive = removeDeadNodes({
    ...graph,
    outputs,
    nodes: graph.nodes.filter((_, at) => places.has(at)),
  });
  const read = new Set<Value>(outputs);
  for (const node of alive.nodes) for (const value of usedValues(node)) read.add(value);
  return {
    ...alive,
    inputs: [
      ...graph.inputs.filter((input) => read.has(input)),
      ...[...carriedIn].filter((value) => read.has(value)),
    ],
  };
}

function tooSmall(graph: Graph, costs: GraphCosts, memory: number): LimbeckError {
  let most = { at: 0, memory: 0, weights: 0 };
  for (const at of graph.nodes.keys()) {
    const alone = new Stretch(costs);
    alone.add(at);
    if (alone.memory > most.memory) most = { at, memory: alone.memory, weights: alone.weights };
  }
  const { name, opType } = graph.nodes[most.at] as Node;
  const names = (costs.weights[most.at] as readonly Value[]).map((value) => value.name).slice(0, 3);
  const values = costs.live[most.at] as number;
  const remedy =
    values > most.weights
      ? 'or ask about smaller samples, whose values take less: data.maxLength of texts, inputs.NAME.size of images, inputs.NAME.seconds of audio.'
      : 'or take a smaller model.';
  return new LimbeckError(
    'teacher.memory',
    `one node of the teacher alone takes ${most.memory} bytes, more than the ${memory} that a part may take`,
    {
      where: `node '${name}' (${opType}): ${most.weights} bytes of weights${names.length > 0 ? ` (${names.join(', ')})` : ''}, ${values} bytes of values that live beside it for a batch`,
      remedy: `Set teacher.memory to ${most.memory} or more, ${remedy}`,
    },
  );
}
