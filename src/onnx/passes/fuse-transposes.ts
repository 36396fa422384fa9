import type { Attribute, Graph, Node, TypedValue, Value } from '../graph.ts';
import { NodeEmitter, namesIn } from '../node-emitter.ts';
import { elementCount } from '../tensor.ts';
import { usedValues } from '../used-values.ts';

/** A tensor that products read with its rows first: [..., rows, last] as it lies, [rows, ..., last] for them. */
interface RowsFirst {
  readonly source: TypedValue;
  /** Of the source as three axes: [others, rows, last]. */
  readonly shape: readonly [others: number, rows: number, last: number];
}

/**
 * Transposes that bring the rows of images first, where products alone read them, as a flag of those products
 * (FusedMatMul's transBatchA and transBatchB: the first axis counts as the one behind the batch's). ONNX Runtime transposes
 * on one thread; the product reads the tensor where it lies, by its leading dimension. Minimal filtering
 * (`lower-convolutions.ts`) and its gradients have two of them for each convolution.
 *
 * Runs last: neither gradients nor other passes know these flags.
 */
export function fuseTransposes(graph: Graph): Graph {
  const rowsFirst = rowsFirstIn(graph);
  if (rowsFirst.size === 0) return graph;
  const emit = new NodeEmitter(namesIn(graph));
  for (const node of graph.nodes) {
    if (isProduct(node) && node.inputs.some((value) => value && rowsFirst.has(value)))
      emitProduct(emit, node, rowsFirst);
    else emit.push(node);
  }
  return {
    ...graph,
    opsets: new Map([['com.microsoft', 1], ...graph.opsets]),
    nodes: emit.nodes,
    initializers: new Map([...graph.initializers, ...emit.initializers]),
  };
}

/** What transposes and the reshapes behind them give, where every reader is a product that can take the flag. */
function rowsFirstIn(graph: Graph): Map<Value, RowsFirst> {
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const value of usedValues(node)) readers.set(value, [...(readers.get(value) ?? []), node]);
  const outputs = new Set(graph.outputs);
  const found = new Map<Value, RowsFirst>();
  for (const node of graph.nodes) {
    const rows = rowsFirstOf(node);
    if (!rows) continue;
    const reached = productsBehind(node.outputs[0] as Value, rows, readers, outputs);
    for (const value of reached ?? []) found.set(value, rows);
  }
  return found;
}

function rowsFirstOf(node: Node): RowsFirst | undefined {
  const [source] = node.inputs;
  if (node.opType !== 'Transpose' || node.domain !== '' || source?.type !== 'float32') return undefined;
  const shape = source.shape;
  const perm = node.attributes.get('perm');
  if (!shape?.every((dim): dim is number => typeof dim === 'number') || perm?.kind !== 'ints')
    return undefined;
  const last = shape.length - 1;
  const moved = perm.value.every(
    (axis, i) => Number(axis) === (i === 0 ? last - 1 : i === last ? last : i - 1),
  );
  if (!moved || shape.length < 3) return undefined;
  const others = elementCount(shape.slice(0, -2));
  return { source: source as TypedValue, shape: [others, shape[last - 1] as number, shape[last] as number] };
}

/** The values between a transpose and the products that alone read it, or undefined where something else does. */
function productsBehind(
  value: Value,
  rows: RowsFirst,
  readers: ReadonlyMap<Value, readonly Node[]>,
  outputs: ReadonlySet<Value>,
): Value[] | undefined {
  const nodes = readers.get(value) ?? [];
  if (outputs.has(value) || nodes.length === 0) return undefined;
  const found: Value[] = [];
  for (const node of nodes) {
    if (node.opType === 'Reshape' && node.domain === '' && node.inputs[0] === value) {
      const behind = productsBehind(node.outputs[0] as Value, rows, readers, outputs);
      if (!behind) return undefined;
      found.push(...behind);
    } else if (takes(node, value, rows)) found.push(value);
    else return undefined;
  }
  return found;
}

/** Whether a product reads the value as [rows, others, last] on one side, with no more than a matrix or as many axes on the other. */
function takes(node: Node, value: Value, { shape: [others, rows, last] }: RowsFirst): boolean {
  if (!isProduct(node) || value.shape?.join() !== [rows, others, last].join()) return false;
  const [a, b] = node.inputs;
  const other = a === value ? b : a;
  return a !== b && (other?.shape?.length === 2 || other?.shape?.length === 3);
}

function isProduct({ opType, domain }: Node): boolean {
  return (opType === 'MatMul' && domain === '') || (opType === 'FusedMatMul' && domain === 'com.microsoft');
}

function emitProduct(emit: NodeEmitter, node: Node, rowsFirst: ReadonlyMap<Value, RowsFirst>): void {
  const attributes = new Map<string, Attribute>(node.attributes);
  const inputs = node.inputs.map((value, i) => {
    const rows = value && rowsFirst.get(value);
    if (rows) {
      attributes.set(i === 0 ? 'transBatchA' : 'transBatchB', { kind: 'int', value: 1 });
      return emit.op('Reshape', [rows.source, emit.ints('shape', rows.shape)]);
    }
    // ONNX Runtime takes the flags where both sides have as many axes.
    const shape = value?.shape;
    return value && shape?.length === 2
      ? emit.op('Reshape', [value, emit.ints('shape', [1, ...(shape as number[])])])
      : value;
  });
  emit.push({ ...node, opType: 'FusedMatMul', domain: 'com.microsoft', inputs, attributes });
}
