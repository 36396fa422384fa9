import { type Formulations, keyOfNode } from '../formulations.ts';
import { type Graph, intAttribute, type Node, type Value } from '../graph.ts';
import { NodeEmitter, namesIn } from '../node-emitter.ts';
import { elementCount, tensor } from '../tensor.ts';
import { type WindowGeometry, windowGeometry } from '../window-geometry.ts';

/**
 * The largest number of pairs of a pixel that goes in and one that comes out, where nobody has measured it on this machine. For MobileNetV3 at 64x64, depthwise
 * convolutions from 8x8 on; docs/measurements-convolution.md.
 */
const MAX_PAIRS = 16_384;
/** Larger kernels than any model has would make a large constant of a few bytes. */
const MAX_KERNEL = 1024;

/** A depthwise convolution over few pixels. */
interface SmallDepthwise {
  readonly geometry: WindowGeometry;
  readonly batch: number;
  readonly channels: number;
  /** Spatial sizes before and after. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * Depthwise convolutions over few pixels as a product of matrices for each channel: what a channel's pixels give is a
 * matrix [pixels in, pixels out] whose elements are those of the kernel. ONNX Runtime's kernel makes a tiny product for
 * every channel of every sample, of which most is overhead (5x5 over [64, 240, 4, 4]: 22.9 ms, this 0.5), and its
 * gradients are as slow; those of the products are products.
 *
 * Nodes whose shapes are not all numbers stay, and those for which another form was found to be faster.
 */
export function lowerDepthwise(graph: Graph, formulations?: Formulations): Graph {
  const small = new Map(
    graph.nodes.flatMap((node): [Node, SmallDepthwise][] => {
      const found = depthwiseOf(node);
      const form = formulations?.convolutions[keyOfNode(node) ?? ''];
      const pays = form === undefined ? found && pairsOf(found) <= MAX_PAIRS : form === 'matrices';
      return found && pays ? [[node, found]] : [];
    }),
  );
  if (small.size === 0) return graph;
  const emit = new NodeEmitter(namesIn(graph));
  for (const node of graph.nodes) {
    const found = small.get(node);
    if (found) lower(emit, node, found);
    else emit.push(node);
  }
  return {
    ...graph,
    nodes: emit.nodes,
    initializers: new Map([...graph.initializers, ...emit.initializers]),
  };
}

/** Whether a node can be a matrix for each channel, and whether it is one where nothing was measured. */
export function matricesOf(node: Node): { readonly pays: boolean } | undefined {
  const found = depthwiseOf(node);
  // The matrix of a channel has as many elements: far beyond the limit nothing has to be tried.
  if (!found || pairsOf(found) > 4 * MAX_PAIRS) return undefined;
  return { pays: pairsOf(found) <= MAX_PAIRS };
}

function pairsOf({ from, to }: SmallDepthwise): number {
  return elementCount(from) * elementCount(to);
}

function depthwiseOf(node: Node): SmallDepthwise | undefined {
  const [x, w] = node.inputs;
  const y = node.outputs[0];
  if (node.opType !== 'Conv' || node.domain !== '' || !x?.shape || !w?.shape || !y?.shape) return undefined;
  const shapes = [x.shape, w.shape, y.shape];
  if (x.type !== 'float32' || !shapes.every((shape) => shape.every((dim) => typeof dim === 'number')))
    return undefined;
  const [[batch, channels, ...from], [outputs, inputs, ...kernel], [, , ...to]] = shapes as number[][];
  const depthwise = inputs === 1 && outputs === channels && intAttribute(node, 'group', 1) === channels;
  if (!depthwise || channels === 1) return undefined;
  if (elementCount(kernel) > MAX_KERNEL) return undefined;
  const geometry = windowGeometry(node, kernel, x.shape);
  return geometry && { geometry, batch, channels, from, to };
}

function lower(emit: NodeEmitter, node: Node, { geometry, batch, channels, from, to }: SmallDepthwise): void {
  const [x, w, bias] = node.inputs as readonly (Value | undefined)[];
  const [pixels, places, size] = [from, to, geometry.kernel].map(elementCount);
  const reshaped = (value: Value, dims: readonly number[]) =>
    emit.op('Reshape', [value, emit.ints('shape', dims)]);
  const swapped = (value: Value) => emit.op('Transpose', [value], { perm: [1, 0, 2] });
  const chosen = emit.constant(
    'seen',
    tensor('float32', [size, pixels * places], seenBy(geometry, from, to)),
  );
  const kernels = emit.op('MatMul', [reshaped(w as Value, [channels, size]), chosen]);
  const matrices = reshaped(kernels, [channels, pixels, places]);
  const rows = swapped(reshaped(x as Value, [batch, channels, pixels]));
  const products = swapped(emit.op('MatMul', [rows, matrices]));
  const shape = emit.ints('shape', [batch, channels, ...to]);
  const output = node.outputs[0] as Value;
  if (!bias) {
    emit.op('Reshape', [products, shape], {}, output);
    return;
  }
  const image = emit.op('Reshape', [products, shape]);
  emit.op('Add', [image, reshaped(bias, [channels, ...to.map(() => 1)])], {}, output);
}

/** [kernel, pixels x places]: 1 where that element of the kernel lies on the pixel when the window is at the place. */
function seenBy(geometry: WindowGeometry, from: readonly number[], to: readonly number[]): Float32Array {
  const { kernel, strides, dilations, before } = geometry;
  const [pixels, places] = [elementCount(from), elementCount(to)];
  const seen = new Float32Array(elementCount(kernel) * pixels * places);
  for (let place = 0; place < places; place++) {
    const window = coordinates(place, to);
    for (let element = 0; element < elementCount(kernel); element++) {
      const at = coordinates(element, kernel).map(
        (step, axis) => window[axis] * strides[axis] + step * dilations[axis] - before[axis],
      );
      if (at.some((pixel, axis) => pixel < 0 || pixel >= from[axis])) continue;
      const pixel = at.reduce((index, value, axis) => index * from[axis] + value, 0);
      seen[(element * pixels + pixel) * places + place] = 1;
    }
  }
  return seen;
}

/** The coordinates of an element, counted row by row. */
function coordinates(index: number, sizes: readonly number[]): number[] {
  const found: number[] = [];
  let rest = index;
  for (const size of [...sizes].reverse()) {
    found.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return found;
}
