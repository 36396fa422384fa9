import type { Graph, Node, Value } from '../../onnx/graph.ts';
import { int64, type Tensor } from '../../onnx/tensor.ts';
import type { Student } from '../../students/student.ts';
import { type Dependencies, ruleOf } from './dependency-groups.ts';

/**
 * The student without some units: every tensor is smaller where they were, and so is everything that nodes say of sizes. Names
 * stay.
 *
 * @param removed ids of units, of the dependencies of this very student
 */
export function removeUnits(
  { graph, parameters }: Student,
  { units }: Pick<Dependencies, 'units'>,
  removed: ReadonlySet<number>,
): Student {
  const keptOf = new Map<Value, (readonly number[] | undefined)[]>();
  for (const [value, axes] of units.values()) {
    const kept = axes.map((axis) => {
      if (!axis) return undefined;
      const left = Array.from(axis.keys()).filter((i) => !removed.has(units.root(axis[i] as number)));
      return left.length < axis.length ? left : undefined;
    });
    if (kept.some((one) => one)) keptOf.set(value, kept);
  }
  const cutValues = new Map<Value, Value>();
  const now = (value: Value): Value => {
    const kept = keptOf.get(value);
    if (!kept) return value;
    let cut = cutValues.get(value);
    if (!cut) {
      cut = { ...value, shape: value.shape?.map((size, axis) => kept[axis]?.length ?? size) };
      cutValues.set(value, cut);
    }
    return cut;
  };
  const initializers = new Map<Value, Tensor>();
  for (const [value, content] of graph.initializers) {
    const kept = keptOf.get(value);
    initializers.set(now(value), kept ? selected(content, kept) : content);
  }
  const names = namesOf(graph);
  const cutting = {
    constant: (value: Value | null | undefined) => (value ? graph.initializers.get(value) : undefined),
    isCut: (value: Value, axis: number) => keptOf.get(value)?.[axis] !== undefined,
    kept: (value: Value, axis: number) =>
      keptOf.get(value)?.[axis] ?? Array.from({ length: (value.shape?.[axis] as number) ?? 0 }, (_, i) => i),
    ints(stem: string, values: readonly number[]) {
      let name = stem;
      for (let count = 1; names.has(name); count++) name = `${stem}/cut_${count}`;
      names.add(name);
      const value: Value = { name, type: 'int64', shape: [values.length] };
      initializers.set(value, int64(values));
      return value;
    },
  };
  const nodes = graph.nodes.map((node): Node => {
    const cut = ruleOf(node).cut?.(node, cutting) ?? node;
    return {
      ...cut,
      inputs: cut.inputs.map((value) => value && now(value)),
      outputs: cut.outputs.map((value) => value && now(value)),
    };
  });
  return { graph: { ...graph, nodes, initializers: withoutUnread(initializers, nodes, graph) }, parameters };
}

/** Constants that no node reads any more go; what nobody read before stays. */
function withoutUnread(
  initializers: ReadonlyMap<Value, Tensor>,
  nodes: readonly Node[],
  before: Graph,
): Map<Value, Tensor> {
  const read = (among: readonly Node[]) =>
    new Set(among.flatMap(({ inputs }) => inputs.flatMap((value) => (value ? [value.name] : []))));
  const [earlier, later] = [read(before.nodes), read(nodes)];
  return new Map([...initializers].filter(([{ name }]) => later.has(name) || !earlier.has(name)));
}

function namesOf(graph: Graph): Set<string> {
  const values = [
    ...graph.inputs,
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ];
  return new Set(values.flatMap((value) => (value ? [value.name] : [])));
}

/** A tensor's elements at some indices of its axes; undefined keeps an axis whole. */
export function selected(content: Tensor, kept: readonly (readonly number[] | undefined)[]): Tensor {
  let { dims, data } = content;
  kept.forEach((indices, axis) => {
    if (!indices) return;
    const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
    const outer = dims.slice(0, axis).reduce((product, size) => product * size, 1);
    const size = dims[axis] as number;
    const source = data as Float32Array;
    const made = new (source.constructor as Float32ArrayConstructor)(outer * indices.length * inner);
    for (let o = 0; o < outer; o++)
      indices.forEach((index, place) => {
        const from = (o * size + index) * inner;
        made.set(source.subarray(from, from + inner), (o * indices.length + place) * inner);
      });
    dims = dims.map((own, i) => (i === axis ? indices.length : own));
    data = made;
  });
  return { ...content, dims, data };
}
