import type { Graph } from '../onnx/graph.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';

/** What a student's constants hold, by name. */
export function contentsOf({ graph }: Student): Map<string, Float32Array> {
  return new Map([...graph.initializers].map(([{ name }, { data }]) => [name, data as Float32Array]));
}

/** A graph whose float32 constants hold what their namesakes do. */
export function withContents(graph: Graph, contents: ReadonlyMap<string, Float32Array>): Graph {
  const initializers = [...graph.initializers].map(([value, content]): [typeof value, Tensor] => {
    const data = content.type === 'float32' ? contents.get(value.name) : undefined;
    return [value, data ? { ...content, data } : content];
  });
  return { ...graph, initializers: new Map(initializers) };
}

/** How many numbers a student trains. */
export function parametersIn({ graph, parameters }: Student): number {
  const names = new Set(parameters);
  return [...graph.initializers].reduce(
    (sum, [{ name }, { data }]) => sum + (names.has(name) ? data.length : 0),
    0,
  );
}
