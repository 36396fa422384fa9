import { type AttributeInits, toAttributes } from '../attributes.ts';
import { type Formulations, keyOfNode } from '../formulations.ts';
import { type Graph, intAttribute, type Node, type Value } from '../graph.ts';
import { NodeEmitter, namesIn } from '../node-emitter.ts';
import { tensor } from '../tensor.ts';
import { windowGeometry } from '../window-geometry.ts';
import {
  type Axis,
  inputTransform,
  kernelTransform,
  outputsAlong,
  outputTransform,
  TILE,
  tilesAlong,
} from '../winograd.ts';

/**
 * How many times fewer multiplications pay for the passes over memory, where nobody has measured it on this machine. Forward and both gradients of [128, 32, 14, 14]
 * save a factor of 1.3 and take as long; [32, 64, 28, 28] 1.6 and two thirds: docs/measurements-convolution.md.
 */
const LEAST_SAVING = 1.5;

/** Of FusedMatMul: MatMul with transposes as flags. */
const CONTRIB = 'com.microsoft';

/** A 3x3 convolution of stride 1. */
interface Convolution {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Down and across. */
  readonly axes: readonly [Axis, Axis];
}

/**
 * 3x3 convolutions of stride 1 over small images with many channels by minimal filtering (Winograd's algorithm,
 * `src/onnx/winograd.ts`), as products of matrices: pixels come first, so that the transforms of tiles are products too.
 * The gradients are transposes of these products, and the one of the kernel reads what forward transformed.
 *
 * Nodes whose shapes are not all numbers stay, and those where it saves too little, or for which another form was found to
 * be faster.
 */
export function lowerConvolutions(graph: Graph, formulations?: Formulations): Graph {
  const chosen = new Map(
    graph.nodes.flatMap((node): [Node, Convolution][] => {
      const found = convolutionOf(node);
      const form = formulations?.convolutions[keyOfNode(node) ?? ''];
      const pays = form === undefined ? found && saving(found) >= LEAST_SAVING : form === 'filtering';
      return found && pays ? [[node, found]] : [];
    }),
  );
  if (chosen.size === 0) return graph;
  const emit = new NodeEmitter(namesIn(graph));
  for (const node of graph.nodes) {
    const found = chosen.get(node);
    if (found) lower(emit, node, found);
    else emit.push(node);
  }
  return {
    ...graph,
    opsets: new Map([[CONTRIB, 1], ...graph.opsets]),
    nodes: emit.nodes,
    initializers: new Map([...graph.initializers, ...emit.initializers]),
  };
}

function convolutionOf(node: Node): Convolution | undefined {
  const [x, w] = node.inputs;
  if (node.opType !== 'Conv' || node.domain !== '' || !x?.shape || !w?.shape) return undefined;
  const shapes = [x.shape, w.shape];
  if (x.type !== 'float32' || !shapes.every((shape) => shape.every((dim) => typeof dim === 'number')))
    return undefined;
  const [[batch, channels, ...sizes], [outputs, inputs, ...kernel]] = shapes as number[][];
  if (kernel.length !== 2 || kernel.some((size) => size !== TILE.kernel)) return undefined;
  const geometry = windowGeometry(node, kernel, x.shape);
  const plain = geometry && [...geometry.strides, ...geometry.dilations].every((step) => step === 1);
  if (!plain || intAttribute(node, 'group', 1) !== 1 || inputs !== channels) return undefined;
  const axisOf = (axis: number): Axis => ({
    size: sizes[axis],
    before: geometry.before[axis],
    after: geometry.after[axis],
  });
  const axes: [Axis, Axis] = [axisOf(0), axisOf(1)];
  const some = [batch, inputs, outputs, ...sizes, ...axes.map(outputsAlong)].every((count) => count > 0);
  return some ? { batch, inputs, outputs, axes } : undefined;
}

/** Whether a node can be computed by minimal filtering, and the form in which it is where nothing was measured. */
export function filteringOf(node: Node): { readonly pays: boolean } | undefined {
  const found = convolutionOf(node);
  return found && { pays: saving(found) >= LEAST_SAVING };
}

/** How many times the multiplications of the lowered form those of a Conv are. */
function saving({ batch, inputs, outputs, axes }: Convolution): number {
  const [down, across] = axes;
  const [rows, columns] = axes.map((axis) => TILE.inputs * tilesAlong(axis));
  const [height, width] = axes.map(outputsAlong);
  const direct = batch * inputs * outputs * height * width * TILE.kernel ** 2;
  const product = batch * inputs * outputs * rows * columns;
  const before = batch * inputs * columns * down.size * (across.size + rows);
  const after = batch * outputs * columns * height * (rows + width);
  const kernel = inputs * outputs * (TILE.inputs * TILE.kernel) ** 2;
  return direct / (product + before + after + kernel);
}

function lower(emit: NodeEmitter, node: Node, { batch, inputs, outputs, axes }: Convolution): void {
  const [x, w, bias] = node.inputs as readonly (Value | undefined)[];
  const [down, across] = axes;
  const tiles = axes.map(tilesAlong);
  const [rows, columns] = tiles.map((count) => TILE.inputs * count);
  const [height, width] = axes.map(outputsAlong);
  const reshaped = (value: Value, dims: readonly number[]) =>
    emit.op('Reshape', [value, emit.ints('shape', dims)]);
  const matrix = (data: Float32Array, dims: readonly number[]) =>
    emit.constant('transform', tensor('float32', dims, data));

  const kernels = fusedMatMul(
    emit,
    matrix(kernelTransform(), [TILE.inputs ** 2, TILE.kernel ** 2]),
    reshaped(w as Value, [outputs * inputs, TILE.kernel ** 2]),
    { transB: 1 },
  );

  // Rows of pixels come first: [height, samples and channels, width]. Moving one axis is the fastest of transposes.
  const byRow = emit.op('Transpose', [x as Value], { perm: [2, 0, 1, 3] });
  const seenAcross = fusedMatMul(
    emit,
    matrix(inputTransform(across), [columns, across.size]),
    reshaped(byRow, [down.size, batch * inputs, across.size]),
    { transB: 1 },
  );
  const seen = emit.op('MatMul', [
    matrix(inputTransform(down), [rows, down.size]),
    reshaped(seenAcross, [down.size, columns * batch * inputs]),
  ]);
  // For each of the 36 elements of a tile: the channels of all tiles and samples times those of the kernels.
  const products = fusedMatMul(
    emit,
    reshaped(seen, [TILE.inputs, tiles[0], TILE.inputs, tiles[1] * batch, inputs]),
    reshaped(kernels, [TILE.inputs, 1, TILE.inputs, outputs, inputs]),
    { transB: 1 },
  );
  const madeDown = emit.op('MatMul', [
    matrix(outputTransform(down), [height, rows]),
    reshaped(products, [rows, columns * batch * outputs]),
  ]);
  const made = fusedMatMul(
    emit,
    reshaped(madeDown, [height, columns, batch * outputs]),
    matrix(outputTransform(across), [width, columns]),
    { transA: 1, transB: 1 },
  );
  const pictures = reshaped(made, [height, batch, outputs, width]);
  const output = node.outputs[0] as Value;
  const toPlace = { perm: [1, 2, 0, 3] };
  if (!bias) {
    emit.op('Transpose', [pictures], toPlace, output);
    return;
  }
  const bySample = emit.op('Transpose', [pictures], toPlace);
  emit.op('Add', [bySample, reshaped(bias, [outputs, 1, 1])], {}, output);
}

function fusedMatMul(emit: NodeEmitter, a: Value, b: Value, flags: AttributeInits): Value {
  const output = emit.value('FusedMatMul');
  emit.push({
    name: output.name,
    opType: 'FusedMatMul',
    domain: CONTRIB,
    inputs: [a, b],
    outputs: [output],
    attributes: toAttributes(flags),
  });
  return output;
}
