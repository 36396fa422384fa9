import { isFloat } from '../data-type.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { usedValues } from '../used-values.ts';
import { exampleShapes } from './example-shapes.ts';

/** Through these goes no data, only its sizes. */
const SIZES_ONLY: ReadonlySet<string> = new Set(['Shape', 'Size']);

/**
 * A graph as paths of data from inputs to the output that matters most, with the sizes of an example. What all paths from
 * a value go through (its post-dominators) is where a model has a waist: the ends of layers are such places.
 */
export class ModelPaths {
  readonly #position = new Map<Node, number>();
  readonly #producer = new Map<Value, Node>();
  readonly #consumers = new Map<Value, Node[]>();
  readonly #changing = new Set<Value>();
  readonly #facts: ReturnType<typeof exampleShapes>;
  /** For each node that leads to the output: the next one that all its paths go through. */
  readonly #waist = new Map<Node, Node>();
  readonly #last: Node | undefined;
  readonly graph: Graph;
  readonly nodes: readonly Node[];
  /** Samples in the example; undefined where no input has a first size. */
  readonly batch: number | undefined;

  constructor(graph: Graph) {
    this.graph = graph;
    this.nodes = graph.nodes;
    this.#facts = exampleShapes(graph);
    for (const input of graph.inputs) this.#changing.add(input);
    graph.nodes.forEach((node, position) => {
      this.#position.set(node, position);
      const used = [...usedValues(node)];
      const changes = !SIZES_ONLY.has(node.opType) && used.some((value) => this.#changing.has(value));
      for (const value of used) {
        const consumers = this.#consumers.get(value);
        if (consumers) consumers.push(node);
        else this.#consumers.set(value, [node]);
      }
      for (const value of node.outputs) {
        if (!value) continue;
        this.#producer.set(value, node);
        if (changes) this.#changing.add(value);
      }
    });
    this.batch = graph.inputs.map((input) => this.shapeOf(input)?.[0]).find((size) => size !== undefined);
    this.#last = this.#mainOutput();
    this.#findWaists();
  }

  /** The sizes of a value for the example; undefined where they are not all known. */
  shapeOf(value: Value): readonly number[] | undefined {
    const shape = this.#facts.get(value)?.shape ?? value.shape;
    return shape?.every((dim): dim is number => typeof dim === 'number') ? shape : undefined;
  }

  isFloat(value: Value): boolean {
    const type = this.#facts.get(value)?.type ?? value.type;
    return type !== undefined && isFloat(type);
  }

  /** Whether a value is float [batch, ...] of so many dimensions. */
  isBatchOf(value: Value, rank: number): boolean {
    const shape = this.shapeOf(value);
    return this.isFloat(value) && shape?.length === rank && shape[0] === this.batch;
  }

  /** Whether a value is computed from the inputs' data, not from parameters and sizes alone. */
  changes(value: Value | null | undefined): value is Value {
    return value != null && this.#changing.has(value);
  }

  producerOf(value: Value): Node | undefined {
    return this.#producer.get(value);
  }

  /** The nodes that read the value's data. */
  consumersOf(value: Value): readonly Node[] {
    return (this.#consumers.get(value) ?? []).filter(({ opType }) => !SIZES_ONLY.has(opType));
  }

  positionOf(node: Node): number {
    return this.#position.get(node) as number;
  }

  /** The values that all paths from `value` to the output go through, from the first on; `value` itself is not among them. */
  waistsAfter(value: Value): Value[] {
    const waists: Value[] = [];
    for (let at = this.#meeting(this.consumersOf(value)); at; at = this.#waist.get(at)) {
      const read = at.outputs.filter(
        (output) => output && (this.consumersOf(output).length > 0 || at === this.#last),
      );
      if (read.length === 1) waists.push(read[0] as Value);
    }
    return waists;
  }

  /** Whether what a value is used for reaches the output. */
  reachesOutput(value: Value): boolean {
    return this.consumersOf(value).some((node) => node === this.#last || this.#waist.has(node));
  }

  /** The nodes that a value's data gets to. */
  after(value: Value): Set<Node> {
    const reached = new Set<Node>(this.consumersOf(value));
    for (const node of reached) {
      for (const output of node.outputs)
        if (output) for (const consumer of this.consumersOf(output)) reached.add(consumer);
    }
    return reached;
  }

  /** What gives `logits`, or else the output that most of the model is for. */
  #mainOutput(): Node | undefined {
    const sizes = this.graph.outputs
      .filter((output) => this.isFloat(output) && this.#changing.has(output))
      .map((output) => ({ output, size: this.#before(output).size }));
    const logits = sizes.find(({ output }) => output.name === 'logits');
    const largest = sizes.reduce((a, b) => (b.size > a.size ? b : a), sizes[0] as (typeof sizes)[0]);
    const main = (logits ?? largest)?.output;
    return main && this.#producer.get(main);
  }

  #before(value: Value): Set<Node> {
    const producer = this.#producer.get(value);
    const reached = new Set<Node>(producer ? [producer] : []);
    for (const node of reached) {
      for (const input of usedValues(node)) {
        const before = this.#producer.get(input);
        if (before && this.#changing.has(input)) reached.add(before);
      }
    }
    return reached;
  }

  /** Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001), on a graph without cycles: one pass. */
  #findWaists(): void {
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const node = this.nodes[i]!;
      if (node === this.#last) continue;
      const consumers = node.outputs.flatMap((output) => (output ? this.consumersOf(output) : []));
      const meeting = this.#meeting(consumers);
      if (meeting) this.#waist.set(node, meeting);
    }
  }

  /** The first node that all paths from these to the output have in common. */
  #meeting(nodes: readonly Node[]): Node | undefined {
    let common: Node | undefined;
    for (const node of nodes) {
      if (node !== this.#last && !this.#waist.has(node)) continue;
      common = common ? this.#common(common, node) : node;
    }
    return common;
  }

  #common(a: Node, b: Node): Node {
    let [x, y] = [a, b];
    while (x !== y) {
      if (this.positionOf(x) < this.positionOf(y)) x = this.#waist.get(x)!;
      else y = this.#waist.get(y)!;
    }
    return x;
  }
}
