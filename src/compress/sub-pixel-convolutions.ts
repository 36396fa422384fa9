import { type Graph, intAttribute, type Node, type Value } from '../onnx/graph.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { elementCount, float32, int64, type Tensor } from '../onnx/tensor.ts';
import { usedValues } from '../onnx/used-values.ts';
import { transposedGeometry, type WindowGeometry } from '../onnx/window-geometry.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { soleRelu } from './quantizable-layers.ts';

/** A 3x3 kernel with a stride of 2 has 16/9 times as many; a small one with a huge stride would take all memory. */
const MOST_FILLED = 16;

type TransposedGeometry = WindowGeometry & { readonly outputPadding: readonly number[] };

/**
 * The graph with transposed convolutions as convolutions whose channels are then laid out as pixels: ONNX Runtime has no int8
 * kernel for ConvTranspose, and has one for Conv. Pixels of the output that lie at the same place beside a multiple of the stride are made by the same weights,
 * so a convolution with stride^2 as many channels gives all of them (Shi et al., "Is the deconvolution layer the same as a
 * convolutional layer?", arXiv 1609.07009). The answers are the same, up to the order of sums.
 *
 * A kernel whose size is no multiple of the stride is filled up with zeros, which are multiplied as well; one that would have more
 * than `MOST_FILLED` times as many weights stays as it is. Over two axes, with one stride for
 * both, and with weights and bias that are constants of the layer's own; others, and dilated ones with a stride, stay as they are.
 */
export function subPixelConvolutions(graph: Graph): Graph {
  if (!graph.nodes.some(({ opType }) => opType === 'ConvTranspose')) return graph;
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const value of usedValues(node)) readers.set(value, [...(readers.get(value) ?? []), node]);
  const outputs = new Set(graph.outputs);
  const taken = new Set<Node>();
  const isOwn = (value: Value) => readers.get(value)?.length === 1;
  const rewriter = new GraphRewriter(graph);
  let count = 0;
  const rewritten = rewriter.rewrite((node) => {
    if (taken.has(node)) return true;
    if (node.opType !== 'ConvTranspose' || node.domain !== '') return false;
    const [input, weight, bias] = node.inputs as readonly (Value | undefined)[];
    const [kernel, constant] = [weight, bias].map((value) => value && graph.initializers.get(value));
    if (!input?.shape || !weight || kernel?.type !== 'float32' || kernel.dims.length !== 4) return false;
    if (!isOwn(weight) || (bias && (constant?.type !== 'float32' || !isOwn(bias)))) return false;
    const geometry = transposedGeometry(node, kernel.dims.slice(2), input.shape);
    const stride = geometry?.strides[0] as number;
    if (!geometry || geometry.strides[1] !== stride) return false;
    if (stride > 1 && geometry.dilations.some((dilation) => dilation > 1)) return false;
    if (filledBy(kernel.dims.slice(2), stride) > MOST_FILLED) return false;
    const relu = soleRelu(node.outputs[0] as Value, readers, outputs, graph.initializers);
    if (relu) taken.add(relu);
    emit(rewriter, { node, input, weight, bias, relu }, { kernel, bias: constant, geometry, stride });
    count++;
    return true;
  });
  return count === 0 ? graph : removeDeadNodes(rewritten);
}

/** How many times as many weights a kernel has once its sizes are multiples of the stride. */
function filledBy(sizes: readonly number[], stride: number): number {
  return sizes.reduce((product, size) => (product * Math.ceil(size / stride) * stride) / size, 1);
}

interface Transposed {
  readonly node: Node;
  readonly input: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
  /** The Relu (`soleRelu`) that alone reads what the layer gives: it comes before pixels are laid out, so that the convolution takes it in. */
  readonly relu: Node | undefined;
}

function emit(
  rewriter: GraphRewriter,
  { node, input, weight, bias, relu }: Transposed,
  own: {
    readonly kernel: Tensor;
    readonly bias: Tensor | undefined;
    readonly geometry: TransposedGeometry;
    readonly stride: number;
  },
): void {
  const { kernel, geometry, stride } = own;
  const group = intAttribute(node, 'group', 1);
  const [, perGroup] = kernel.dims as [number, number];
  const channels = perGroup * group;
  const taps = geometry.kernel.map((size) => Math.ceil(size / stride));
  const weights = subPixelWeights(kernel, { group, stride, taps });
  const inputs = [input, rewriter.replacement(weight, weights)];
  if (bias && own.bias) inputs.push(rewriter.replacement(bias, repeated(own.bias, stride ** 2)));
  const output = (relu ?? node).outputs[0] as Value;
  const axes = [0, 1].map((axis) => placesOn(axis, geometry, { stride, taps: taps[axis] as number }));
  const attributes = {
    group,
    dilations: geometry.dilations,
    pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)],
  };
  const crops = axes.some(({ skip, extra }) => skip > 0 || extra > 0);
  const inner = (name: string, channels: number, scale: number) => {
    const sizes = axes.map(({ more }, axis) => {
      const size = input.shape?.[2 + axis];
      return typeof size === 'number' ? scale * (size + more) : `${output.name}/${name}_${axis}`;
    });
    const shape = [input.shape?.[0] ?? 'batch', channels, ...sizes];
    return { name: `${output.name}/${name}`, type: 'float32', shape } as const;
  };
  const isWhole = stride === 1 && !crops;
  const made = (name: string) => (isWhole ? output : inner(name, channels * stride ** 2, 1));
  const sums = rewriter.emit(
    'Conv',
    inputs,
    relu ? inner('sums', channels * stride ** 2, 1) : made('phases'),
    attributes,
  );
  const phases = relu ? rewriter.emit(relu.opType, [sums, ...relu.inputs.slice(1)], made('phases')) : sums;
  if (isWhole) return;
  const mode = { blocksize: stride, mode: 'CRD' };
  if (!crops) {
    rewriter.emit('DepthToSpace', [phases], output, mode);
    return;
  }
  const pixels =
    stride === 1 ? phases : rewriter.emit('DepthToSpace', [phases], inner('pixels', channels, stride), mode);
  const bounds = [
    axes.map(({ skip }) => skip),
    axes.map(({ extra }) => (extra > 0 ? -extra : Number.MAX_SAFE_INTEGER)),
    [2, 3],
  ].map((numbers, i) => rewriter.initializer(`${output.name}/crop_${i}`, int64(numbers)));
  rewriter.emit('Slice', [pixels, ...bounds], output);
}

interface PlacesOnAxis {
  /** Padding of the convolution. */
  readonly before: number;
  readonly after: number;
  /** By how much its output is longer than its input. */
  readonly more: number;
  /** Pixels that are too many at the beginning and at the end. */
  readonly skip: number;
  readonly extra: number;
}

/**
 * Which places a convolution has to take on an axis. Pixel o of the output is pixel q = o + padding of all, made by the inputs
 * m = floor(q / stride) and the `taps` - 1 before it, each times the weight q mod stride beyond its multiple of the stride.
 */
function placesOn(
  axis: number,
  geometry: TransposedGeometry,
  { stride, taps }: { readonly stride: number; readonly taps: number },
): PlacesOnAxis {
  const at = (numbers: readonly number[]) => numbers[axis] as number;
  const dilation = at(geometry.dilations);
  const reach = (taps - 1) * dilation;
  const padding = at(geometry.before);
  // Of the last pixel of all that is wanted, how far it is beyond the first that the last input makes.
  const last = (at(geometry.kernel) - 1) * dilation + at(geometry.outputPadding) - at(geometry.after);
  const before = Math.max(0, reach - Math.floor(padding / stride));
  const after = Math.max(0, Math.floor(last / stride));
  return {
    before,
    after,
    more: before + after - reach,
    skip: padding - stride * (reach - before),
    extra: stride * after + stride - 1 - last,
  };
}

/** Weights [I, O / groups, H, W] as [O * stride^2, I / groups, taps, taps]: the pixels of a channel after each other, line by line. */
function subPixelWeights(
  { dims, data }: Tensor,
  {
    group,
    stride,
    taps,
  }: { readonly group: number; readonly stride: number; readonly taps: readonly number[] },
): Tensor {
  const [inputs, perGroup, height, width] = dims as [number, number, number, number];
  const [down, right] = taps as [number, number];
  const ins = inputs / group;
  const made = [perGroup * group * stride ** 2, ins, down, right];
  const values = new Float32Array(elementCount(made));
  let at = 0;
  for (let channel = 0; channel < perGroup * group; channel++) {
    const first = Math.floor(channel / perGroup) * ins;
    for (let phase = 0; phase < stride ** 2; phase++) {
      for (let input = 0; input < ins; input++) {
        const from = ((first + input) * perGroup + (channel % perGroup)) * height;
        for (let y = 0; y < down; y++) {
          const row = Math.floor(phase / stride) + stride * (down - 1 - y);
          for (let x = 0; x < right; x++, at++) {
            const column = (phase % stride) + stride * (right - 1 - x);
            if (row < height && column < width) values[at] = data[(from + row) * width + column] as number;
          }
        }
      }
    }
  }
  return float32(values, made);
}

/** Each number so many times. */
function repeated({ data }: Tensor, times: number): Tensor {
  return float32(Array.from(data as Float32Array).flatMap((value) => new Array<number>(times).fill(value)));
}
