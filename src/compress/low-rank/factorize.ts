import { type Graph, intAttribute, intsAttribute, type Node, type Value } from '../../onnx/graph.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import type { Student } from '../../students/student.ts';
import { cannotCompress } from '../transforms/cannot-compress.ts';
import type { TransformContext } from '../transforms/transform.ts';
import { singularValues } from './singular-values.ts';

interface Factored {
  /** Of the weight. */
  readonly name: string;
  readonly rank: number;
  /** The rank that it had at most. */
  readonly whole: number;
}

/**
 * The student with a product of two matrices wherever that is smaller.
 *
 * @throws LimbeckError `compress.invalid` where it is nowhere
 */
export function factorized(
  { graph, parameters }: Student,
  keep: number,
  context: Pick<TransformContext, 'where'>,
): { readonly student: Student; readonly layers: readonly Factored[]; readonly all: number } {
  const matrices = matricesOf({ graph, parameters });
  const initializers = new Map(graph.initializers);
  const names = [...parameters];
  const layers: Factored[] = [];
  const taken = new Set(graph.nodes.flatMap(({ outputs }) => outputs.map((value) => value?.name)));
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const matrix = matrices.get(node);
    if (!matrix) return [node];
    const factors = factorsOf(matrix, keep);
    if (!factors) return [node];
    const { name } = matrix.value;
    const [first, second] = ([`${name}/first`, `${name}/second`] as const).map((own, i) => {
      const content = factors.contents[i] as Tensor;
      const value: Value = { name: own, type: content.type, shape: content.dims };
      initializers.set(value, content);
      return value;
    }) as [Value, Value];
    initializers.delete(matrix.value);
    names.splice(names.indexOf(name), 1, first.name, second.name);
    layers.push({ name, rank: factors.rank, whole: Math.min(matrix.rows, matrix.columns) });
    return matrix.replace(first, second, factors.rank, nameBetween(node));
  });
  if (layers.length === 0) {
    throw cannotCompress(
      context,
      `none of the ${matrices.size} matrices is smaller as two factors with ${keep} of its squared singular values`,
      'Lower `keep`, or leave the transform out.',
    );
  }
  return {
    student: { graph: { ...graph, nodes, initializers }, parameters: names },
    layers,
    all: matrices.size,
  };

  /** A factor that becomes two once more has the name of a value of its first factoring. */
  function nameBetween({ outputs: [output] }: Node): string {
    let name = `${output?.name}/between`;
    while (taken.has(name)) name = `${name}_again`;
    taken.add(name);
    return name;
  }
}

/** @throws LimbeckError `compress.invalid` for a student without a matrix that could become two */
export function requireMatrices(student: Student, context: Pick<TransformContext, 'where'>): void {
  if (matricesOf(student).size > 0) return;
  throw cannotCompress(
    context,
    'the student has no matrix that could become two: each is looked up in as a table, or shared',
    'Leave the transform out.',
  );
}

/** The nodes that multiply by a parameter that nothing else reads, and whose products come to an output. */
function matricesOf({ graph, parameters }: Student): Map<Node, Matrix> {
  const readers = new Map<Value, number>();
  for (const { inputs } of graph.nodes)
    for (const value of inputs) if (value) readers.set(value, (readers.get(value) ?? 0) + 1);
  const own = new Set(parameters);
  return new Map(
    removeDeadNodes(graph).nodes.flatMap((node): [Node, Matrix][] => {
      const matrix = matrixOf(node, graph);
      return matrix && readers.get(matrix.value) === 1 && own.has(matrix.value.name) ? [[node, matrix]] : [];
    }),
  );
}

/** A weight that a layer multiplies by, as a matrix [rows, columns] of inputs and outputs. */
interface Matrix {
  readonly value: Value;
  readonly rows: number;
  readonly columns: number;
  readonly at: (row: number, column: number) => number;
  /** As the layer keeps it. */
  readonly dims: (rows: number, columns: number) => readonly number[];
  readonly isTransposed: boolean;
  /** @param inner what goes from the first factor to the second is called */
  readonly replace: (first: Value, second: Value, rank: number, inner: string) => Node[];
}

function matrixOf(node: Node, graph: Graph): Matrix | undefined {
  const [x, value] = node.inputs;
  const content = value && graph.initializers.get(value);
  const output = node.outputs[0];
  if (node.domain !== '' || !x || !value || !output || content?.type !== 'float32') return undefined;
  const data = content.data as Float32Array;
  if (node.opType === 'Conv') {
    const [outputs, inputs, ...kernel] = content.dims as [number, number, ...number[]];
    if (kernel.some((size) => size !== 1) || intAttribute(node, 'group', 1) !== 1) return undefined;
    const pads = intsAttribute(node, 'pads') ?? [];
    if (pads.some((size) => size !== 0)) return undefined;
    return {
      value,
      rows: inputs,
      columns: outputs,
      at: (row, column) => data[column * inputs + row],
      dims: (rows, columns) => [columns, rows, ...kernel],
      isTransposed: true,
      replace(first, second, rank, name) {
        const inner = {
          name,
          type: output.type,
          shape: output.shape && [output.shape[0], rank, ...output.shape.slice(2)],
        };
        // The first one takes the strides: it is at fewer places then.
        const plain = new Map([...node.attributes].filter(([name]) => name !== 'strides'));
        return [
          { ...node, name: inner.name, inputs: [x, first], outputs: [inner] },
          { ...node, inputs: [inner, second, ...node.inputs.slice(2)], attributes: plain },
        ];
      },
    };
  }
  const [rowsKept, columnsKept] = content.dims as [number, number];
  if (content.dims.length !== 2) return undefined;
  const isGemm = node.opType === 'Gemm' && intAttribute(node, 'transA', 0) === 0;
  if (!isGemm && node.opType !== 'MatMul') return undefined;
  const isTransposed = isGemm && intAttribute(node, 'transB', 0) === 1;
  return {
    value,
    rows: isTransposed ? columnsKept : rowsKept,
    columns: isTransposed ? rowsKept : columnsKept,
    at: (row, column) => (isTransposed ? data[column * columnsKept + row] : data[row * columnsKept + column]),
    dims: (rows, columns) => (isTransposed ? [columns, rows] : [rows, columns]),
    isTransposed,
    replace(first, second, rank, name) {
      const inner = { name, type: output.type, shape: output.shape && [...output.shape.slice(0, -1), rank] };
      // Only the second has the bias and the factors of a Gemm.
      const attributes = new Map([...node.attributes].filter(([name]) => name === 'transB'));
      return [
        { ...node, name: inner.name, inputs: [x, first], outputs: [inner], attributes },
        { ...node, inputs: [inner, second, ...node.inputs.slice(2)] },
      ];
    },
  };
}

/** Two factors that share the singular values evenly, where they are smaller than the matrix. */
function factorsOf(
  { rows, columns, at, dims, isTransposed }: Matrix,
  keep: number,
): { readonly rank: number; readonly contents: readonly [Tensor, Tensor] } | undefined {
  const dense = Float64Array.from({ length: rows * columns }, (_, i) =>
    at(Math.floor(i / columns), i % columns),
  );
  const { left, values, right } = singularValues(dense, rows, columns);
  const wanted = keep * values.reduce((sum, value) => sum + value * value, 0);
  let [rank, energy] = [0, 0];
  while (rank < values.length && (rank === 0 || energy < wanted)) energy += values[rank++] ** 2;
  if (rank * (rows + columns) >= rows * columns) return undefined;
  const whole = values.length;
  const first = (row: number, k: number) => left[row * whole + k] * Math.sqrt(values[k]);
  const second = (k: number, column: number) => right[k * columns + column] * Math.sqrt(values[k]);
  return {
    rank,
    contents: [filled(first, rows, rank), filled(second, rank, columns)],
  };

  function filled(value: (row: number, column: number) => number, height: number, width: number): Tensor {
    const data = new Float32Array(height * width);
    for (let r = 0; r < height; r++)
      for (let c = 0; c < width; c++) data[isTransposed ? c * height + r : r * width + c] = value(r, c);
    return float32(data, dims(height, width));
  }
}
