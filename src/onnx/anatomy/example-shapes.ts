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
/** Of images whose size is open: what most classifiers were trained on. */
const CHANNELS = 3;
const PIXELS = 224;

/**
 * The types and shapes of all values for an example: 3 samples, of 13 tokens or of 224x224 pixels where the inputs leave
 * it open. Numbers say more than names here: what a graph does with open sizes cannot always be followed.
 *
 * @param given sizes of some of the open ones, by their names
 */
export function exampleShapes(
  graph: Graph,
  given: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<Value, ExampleFact> {
  const sizes = new Map([...exampleSizes(graph), ...given]);
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

/** What each open size is in the example, by its name. */
function exampleSizes({ inputs }: Graph): Map<string, number> {
  const sizes = new Map<string, number>();
  const set = (dim: number | string | undefined, size: number) => {
    if (typeof dim === 'string' && !sizes.has(dim)) sizes.set(dim, size);
  };
  const shapes = inputs.map(({ shape = [] }) => shape);
  for (const shape of shapes) if (shape.length >= 2) set(shape[0], BATCH);
  for (const shape of shapes) {
    if (shape.length === 4 && !shape.some(isPast)) {
      [BATCH, CHANNELS, PIXELS, PIXELS].forEach((size, axis) => {
        set(shape[axis], size);
      });
    }
  }
  const hasPast = shapes.flat().some(isPast);
  for (const dim of shapes.flat()) set(dim, lengthOf(dim, hasPast));
  return sizes;
}

/** Whether a size is that of keys and values of before, as exporters call it. */
function isPast(dim: number | string): boolean {
  return typeof dim === 'string' && /past/i.test(dim);
}

/** Of `sequence_length`, `past_sequence_length + sequence_length`, `total_sequence_length`. */
function lengthOf(dim: number | string, hasPast: boolean): number {
  if (typeof dim === 'number') return dim;
  if (hasPast && /total/i.test(dim)) return 2 * LENGTH;
  return dim.split('+').reduce((sum, part) => sum + (Number(part) || LENGTH), 0);
}
