import type { Graph, Node, Value } from '../graph.ts';
import { tensorByteLength } from '../stored-tensor.ts';
import { usedValues } from '../used-values.ts';
import type { GraphCosts } from './part-costs.ts';

/** Masks, positions and sizes come of some ten nodes. */
const MOST_NODES = 64;

/**
 * What is computed again in a later part, not carried to it: values that come of the model's inputs by few nodes whose weights
 * are smaller than the value itself would be on the disk (masks, positions, sizes of inputs). Layers are never among them.
 */
export class Recomputed {
  readonly #costs: GraphCosts;
  /** By the place of a node: the places of all that computes what it gives, itself among them. */
  readonly #ways: (ReadonlySet<number> | undefined)[] = [];

  constructor(graph: Graph, costs: GraphCosts) {
    this.#costs = costs;
    // Nodes are in order: what a node reads was looked at before it.
    for (const node of graph.nodes) this.#ways.push(this.#wayThrough(graph, node));
  }

  /** The places of the nodes that compute a value from the model's inputs; undefined for one that is carried. */
  wayTo(value: Value): ReadonlySet<number> | undefined {
    const way = this.#wayTo(value);
    if (!way) return undefined;
    const weights = new Set([...way].flatMap((at) => this.#costs.weights[at] as readonly Value[]));
    let bytes = 0;
    for (const weight of weights) bytes += this.#costs.bytes.get(weight) ?? 0;
    return bytes <= Math.max(SMALL, this.#costs.bytes.get(value) ?? 0) ? way : undefined;
  }

  #wayTo(value: Value): ReadonlySet<number> | undefined {
    const at = this.#costs.madeAt.get(value);
    return at === undefined ? NOTHING : this.#ways[at];
  }

  #wayThrough(graph: Graph, node: Node): ReadonlySet<number> | undefined {
    if (RANDOM.test(node.opType) || LAYERS.test(node.opType)) return undefined;
    const way = new Set([this.#ways.length]);
    for (const used of usedValues(node)) {
      const tensor = graph.initializers.get(used);
      if (tensor && tensorByteLength(tensor) > LARGE_WEIGHT) return undefined;
      const before = this.#wayTo(used);
      if (!before) return undefined;
      for (const place of before) way.add(place);
      if (way.size > MOST_NODES) return undefined;
    }
    return way;
  }
}

/** Weights that no value is recomputed for. */
const LARGE_WEIGHT = 2 ** 20;
/** Bytes of constants that always may be there twice. */
const SMALL = 2 ** 12;
const NOTHING: ReadonlySet<number> = new Set();
/** Operators that are layers: their work is not done twice. */
const LAYERS = /MatMul|Gemm|Conv|Einsum|Attention|Normalization|LSTM|GRU|RNN|Loop|Scan|^If$/;
/** Operators that give another result each time. */
const RANDOM = /^(Bernoulli|Multinomial|RandomNormal|RandomUniform|Dropout)/;
