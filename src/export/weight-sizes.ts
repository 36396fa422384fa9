import type { Graph } from '../onnx/graph.ts';

/**
 * The sizes of a weight of a student, by its name or the end of it; of one that was taken apart into two factors (`low-rank`), those
 * of their product. Undefined where there is none.
 */
export function weightSizes({ initializers }: Graph, wanted: string): readonly number[] | undefined {
  const named = (name: string) =>
    [...initializers].find(([value]) => value.name === name || value.name.endsWith(`/${name}`))?.[1].dims;
  const [first, second] = [named(`${wanted}/first`), named(`${wanted}/second`)];
  if (first && second) return [first[0] as number, second[1] as number];
  return named(wanted);
}
