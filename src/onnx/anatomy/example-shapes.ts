import type { DataType } from '../data-type.ts';
import type { Graph, Shape, TypedValue, Value } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';

/** What is known of a value: the type, and its sizes where the open ones of the inputs are those of an example. */
export interface ExampleFact {
  readonly type: DataType | undefined;
  readonly shape: Shape | undefined;
}

/** Sizes of the example: primes that no model has, so that a size tells where it comes from. */
const BATCH = 3;
const LENGTH = 13;
/** Of pictures whose size is open: what most classifiers were trained on. */
const CHANNELS = 3;
const PIXELS = 224;

/**
 * The types and shapes of all values for an example: 3 samples, of 13 tokens or of 224x224 pixels where the inputs leave
 * it open. Numbers say more than names here: what a graph does with open sizes cannot always be followed.
 */
export function exampleShapes(graph: Graph): ReadonlyMap<Value, ExampleFact> {
  const sizes = exampleSizes(graph);
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    if (!type || !shape) return new Map();
    const dims = shape.map((dim) => (typeof dim === 'number' ? dim : (sizes.get(dim) as number)));
    bound.set(name, g.input(name, type, dims));
  }
  try {
    return g.copy(graph, bound);
  } catch {
    // Sizes that do not go with each other, whatever else a file does: what it declares has to do.
    return new Map();
  }
}

function exampleSizes({ inputs }: Graph): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { shape = [] } of inputs) {
    const picture = [BATCH, CHANNELS, PIXELS, PIXELS];
    shape.forEach((dim, axis) => {
      if (typeof dim === 'number' || sizes.has(dim)) return;
      sizes.set(dim, axis === 0 ? BATCH : shape.length === 4 ? picture[axis]! : LENGTH);
    });
  }
  return sizes;
}
