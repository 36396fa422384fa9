import { blockedDepthwiseGradient, stridedDepthwiseInput } from '../blocked/depthwise-gradient.ts';
import {
  fromBlocks,
  type ImageShape,
  imageShape,
  overPixels,
  productOverPixels,
  toBlocks,
  weightBlocks,
} from '../blocked/kernels.ts';
import { notedGradient } from '../blocked/noted-convolution.ts';
import {
  convolutionShared,
  repeated,
  samplesShared,
  shapedAs,
  sharedShape,
  sharedWeights,
  unsharedGradient,
  withShared,
} from '../blocked/shared-blocks.ts';
import { channelPass, convolutionPass, type SinglePass, seenAs } from '../blocked/single-pass.ts';
import { blockedWeightGradient, hasBlockedWeightGradient } from '../blocked/weight-gradient.ts';
import { convolutionKey, type Formulations, keyOfNode } from '../formulations.ts';
import {
  floatAttribute,
  type Graph,
  intAttribute,
  type Node,
  type TypedValue,
  type Value,
} from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import type { CopyPlace } from '../graph-recorder.ts';
import { usedValues } from '../used-values.ts';
import { windowGeometry } from '../window-geometry.ts';

/** Operators whose result has at each place what their inputs have there; a scalar is everywhere. */
const ELEMENTWISE = new Set(
  (
    'Abs Add And Cast Clip Div Elu Equal Erf Exp Greater GreaterOrEqual HardSigmoid HardSwish Identity LeakyRelu Less ' +
    'LessOrEqual Log Max Min Mul Neg Not Or Pow Reciprocal Relu Sigmoid Sign Softplus Sqrt Sub Sum Tanh Where'
  ).split(' '),
);

/** A tensor of images in blocks, in which samples may be side by side, and its own shape. */
interface Blocked {
  readonly blocked: TypedValue;
  readonly image: ImageShape;
}

/** In blocks, or in the standard order. */
type Laid = Blocked | { readonly standard: TypedValue };

/**
 * Lays stretches of a training step in blocks of channels, which ONNX Runtime's own kernels read and write: tensors are
 * reordered where a stretch begins and ends. Results stay what they were, up to rounding.
 *
 * A convolution for which that form was chosen begins a stretch, forward and as the gradient of an input; elementwise
 * operators, sums of residuals, batch normalisations and reductions to channels over a blocked tensor continue it.
 * a number for each channel of each sample (squeeze and excitation) does too, everything else ends it. The gradient of its
 * weights is computed from blocked operands where it can be (`blockedWeightGradient`). Where channels are not whole blocks
 * a few samples share one (`shared-blocks.ts`); where too many would, they stay as they are.
 */
export function blockConvolutions(graph: Graph, formulations: Formulations): Graph {
  const { block, convolutions, weightGradients = {} } = formulations;
  const blocks = block > 0 && Object.values(convolutions).includes('blocked');
  if (!blocks && Object.keys(weightGradients).length === 0) return graph;
  return new BlockedLayout(graph, formulations).build();
}

class BlockedLayout {
  readonly #g: GraphBuilder;
  readonly #graph: Graph;
  readonly #block: number;
  readonly #chosen: Formulations['convolutions'];
  readonly #weightForms: NonNullable<Formulations['weightGradients']>;
  /** What is blocked here, by the value of the graph that it stands for. */
  readonly #blocked = new Map<Value, Blocked>();
  readonly #passes = new Map<Value, SinglePass>();
  /** The factors of products of two blocked tensors. */
  readonly #products = new Map<Value, readonly [TypedValue, TypedValue]>();
  /** What an Expand spreads, by its result. */
  readonly #spread = new Map<Value, Value>();
  /** How often each value is read. */
  readonly #reads = new Map<Value, number>();

  constructor(graph: Graph, { block, convolutions, weightGradients = {} }: Formulations) {
    this.#g = new GraphBuilder(graph.opsets.get(''));
    this.#graph = graph;
    this.#block = block;
    this.#chosen = convolutions;
    this.#weightForms = weightGradients;
    const read = (value: Value) => this.#reads.set(value, (this.#reads.get(value) ?? 0) + 1);
    for (const node of graph.nodes) for (const value of usedValues(node)) read(value);
    for (const value of graph.outputs) read(value);
  }

  build(): Graph {
    const g = this.#g;
    const inputs = new Map(
      this.#graph.inputs.map((value) => {
        if (!value.type || !value.shape) throw new Error(`input ${value.name} has no type or shape`);
        return [value.name, g.input(value.name, value.type, value.shape)];
      }),
    );
    const here = g.copy(this.#graph, inputs, '', (node, place) => this.#expand(node, place));
    for (const value of this.#graph.outputs) g.output(here.get(value) as Value);
    for (const [key, line] of this.#graph.metadata) g.setMetadata(key, line);
    return g.build(this.#graph.name);
  }

  #expand(node: Node, place: CopyPlace): readonly TypedValue[] | undefined {
    const [output] = node.outputs;
    if (!output) return undefined;
    const laid = node.domain === '' ? this.#laid(node, place, output) : undefined;
    if (!laid) return this.#weightGradient(output, place);
    if ('standard' in laid) return [laid.standard];
    this.#blocked.set(output, laid);
    if (laid.blocked.type === 'float32')
      return [shapedAs(this.#g, fromBlocks(this.#g, laid.blocked), laid.image)];
    // No operator reorders masks: the standard form stands beside, and goes where nothing reads it.
    const inputs = node.inputs.map((value) => value && (place.read(value) ?? null));
    return [this.#g.op(node.opType, inputs, Object.fromEntries(node.attributes))];
  }

  #laid(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    if (node.opType === 'Conv') return this.#convolution(node, place, output);
    if (node.opType === 'ConvTranspose') return this.#strided(node, place, output);
    if (node.opType === 'Expand') this.#spread.set(output, node.inputs[0] as Value);
    if (!node.inputs.some((value) => value && this.#blocked.has(value))) return undefined;
    if (node.opType === 'BatchNormalization') return this.#normalization(node, place, output);
    if (node.opType === 'ReduceSum' || node.opType === 'ReduceMean') return this.#reduction(node, place);
    if (node.opType === 'GlobalAveragePool') return this.#globalPool(node);
    if (!ELEMENTWISE.has(node.opType)) return undefined;
    return this.#byNumbers(node, place, output) ?? this.#elementwise(node, place, output);
  }

  /** A value in blocks: as it is, or reordered; undefined where its channels are not whole blocks. */
  #inBlocks(value: Value, place: CopyPlace): Blocked | undefined {
    const known = this.#blocked.get(value);
    if (known) return known;
    const here = place.read(value);
    const image = here?.type === 'float32' ? imageShape(here) : undefined;
    const whole = image && sharedShape(image, this.#block);
    if (!here || !whole) return undefined;
    const found = { blocked: toBlocks(this.#g, shapedAs(this.#g, here, whole)), image };
    this.#blocked.set(value, found);
    return found;
  }

  #pass(output: Value, image: ImageShape, pass: SinglePass): Laid {
    this.#passes.set(output, pass);
    return { blocked: pass.value, image };
  }

  /** The pass that made a value, if nothing but one node reads it: that node may go into the pass. */
  #passOf(value: Value | null | undefined): SinglePass | undefined {
    return value && this.#reads.get(value) === 1 ? this.#passes.get(value) : undefined;
  }

  /** A convolution has its own form; one that is the gradient of an input has that of its forward convolution. */
  #isChosen(node: Node, output: Value): boolean {
    const noted = notedGradient(output);
    const key = noted ? this.#keyOf(noted) : keyOfNode(node);
    return key !== undefined && this.#chosen[key] === 'blocked';
  }

  #keyOf({ x, w, geometry, group }: NonNullable<ReturnType<typeof notedGradient>>): string {
    return convolutionKey(x.shape as number[], w.shape as number[], geometry, group);
  }

  #convolution(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    const [first, second, third] = node.inputs;
    const [x, w, bias] = [first, second, third].map((value) => (value ? place.read(value) : undefined));
    if (!this.#isChosen(node, output) || !x || !w || (third && !bias)) return undefined;
    const [outputs, inputs, ...kernel] = w.shape as number[];
    const group = intAttribute(node, 'group', 1);
    const geometry = windowGeometry(node, kernel, x.shape);
    const depthwise = group > 1 && inputs === 1 && outputs === group;
    const images = imageShape(x);
    const shared = convolutionShared(depthwise ? outputs : inputs, outputs, this.#block);
    const whole = images && sharedShape([images[0], outputs, images[2], images[3]], this.#block);
    if (!geometry || !images || !whole || !shared || images[0] % shared !== 0) return undefined;
    if (group !== 1 && !depthwise) return undefined;
    // An image's few channels are read in the standard order.
    const few = group === 1 && inputs * shared < this.#block;
    const source = few ? x : this.#inBlocks(first as Value, place)?.blocked;
    if (!source) return undefined;
    const g = this.#g;
    const own = depthwise ? repeated(g, w, shared) : sharedWeights(g, w, shared);
    const parts = {
      x: shapedAs(g, source, withShared(images, shared)),
      weights: weightBlocks(g, own, this.#block, few || depthwise),
      ...(bias ? { bias: repeated(g, bias, shared) } : {}),
    };
    const { strides, dilations, before, after } = geometry;
    const pads = [...before, ...after];
    const groups = depthwise ? group * shared : 1;
    const pass = convolutionPass(g, parts, { kernel_shape: kernel, strides, dilations, pads, group: groups });
    const [rows, columns] = pass.value.shape.slice(2) as [number, number];
    const image: ImageShape = [images[0], outputs, rows, columns];
    return this.#pass(output, image, seenAs(g, pass, [whole[0], whole[1], rows, columns]));
  }

  /** The gradient of a depthwise convolution's input, where that has a stride. */
  #strided(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    const noted = notedGradient(output);
    if (noted?.of !== 'input' || noted.group === 1 || !this.#isChosen(node, output)) return undefined;
    const image = imageShape(noted.x);
    const w = place.read(noted.w);
    const dy = this.#inBlocks(noted.dy, place)?.blocked;
    const dx = image && w && dy && stridedDepthwiseInput(this.#g, { ...noted, dy, w, image }, this.#block);
    return dx && image && { blocked: dx, image };
  }

  /** With statistics that are given. */
  #normalization(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    if (intAttribute(node, 'training_mode', 0) === 1) return undefined;
    const g = this.#g;
    const [value, ...rest] = node.inputs as Value[];
    const known = this.#blocked.get(value);
    const [scale, bias, mean, variance] = rest.map((parameter) => place.read(parameter));
    if (!known || !scale || !bias || !mean || !variance) return undefined;
    const { blocked: x, image } = known;
    const slope = g.div(scale, g.sqrt(g.add(variance, floatAttribute(node, 'epsilon', 1e-5))));
    const each = (list: TypedValue) => this.#eachChannel(list, x);
    const shift = g.sub(bias, g.mul(mean, slope));
    return this.#pass(output, image, channelPass(g, { x, scale: each(slope), shift: each(shift) }));
  }

  /** Sums and means of each channel, or of each channel of each sample. */
  #reduction(node: Node, place: CopyPlace): Laid | undefined {
    const g = this.#g;
    const [value, list] = node.inputs;
    const known = this.#blocked.get(value as Value);
    const axesValue = list && place.read(list);
    const axes = axesValue && g.constantOf(axesValue);
    if (known?.blocked.type !== 'float32' || !axes || Array.isArray(axes.data)) return undefined;
    const { blocked: x, image } = known;
    const over = [...axes.data]
      .map((axis) => (Number(axis) + 4) % 4)
      .sort()
      .join();
    if (over !== '0,2,3' && over !== '2,3') return undefined;
    const operator = node.opType as 'ReduceSum' | 'ReduceMean';
    const keep = intAttribute(node, 'keepdims', 1) === 1;
    const [batch, channels] = image;
    const bySample = g.reshape(this.#overPixels(operator, value as Value, x), [batch, channels]);
    if (over === '2,3') return { standard: keep ? g.reshape(bySample, [batch, channels, 1, 1]) : bySample };
    const whole = g.op(operator, [bySample, g.ints([0])], { keepdims: 0 });
    return { standard: keep ? g.reshape(whole, [1, channels, 1, 1]) : whole };
  }

  /** Sums or means over pixels; of a product without the product. */
  #overPixels(operator: 'ReduceSum' | 'ReduceMean', value: Value, x: TypedValue): TypedValue {
    const g = this.#g;
    const factors = this.#products.get(value);
    if (!factors) return overPixels(g, operator, x, this.#block);
    const sums = productOverPixels(g, ...factors);
    const [, , height, width] = x.shape as number[];
    return operator === 'ReduceSum' ? sums : g.mul(sums, 1 / (height * width));
  }

  #globalPool(node: Node): Laid | undefined {
    const known = this.#blocked.get(node.inputs[0] as Value);
    if (!known) return undefined;
    const means = overPixels(this.#g, 'ReduceMean', known.blocked, this.#block);
    return { standard: this.#g.reshape(means, [known.image[0], known.image[1], 1, 1]) };
  }

  /** Numbers [C] for the channels of a blocked tensor, in which samples may be side by side. */
  #eachChannel(list: TypedValue, x: TypedValue): TypedValue {
    return repeated(this.#g, list, (x.shape[1] as number) / (list.shape[0] as number));
  }

  /** A product or sum with one number for each channel, or for each channel of each sample. */
  #byNumbers({ opType, inputs }: Node, place: CopyPlace, output: Value): Laid | undefined {
    if (!['Mul', 'Add', 'Sub'].includes(opType)) return undefined;
    const [a, b] = inputs as Value[];
    const [from, other] = this.#blocked.has(a) ? [a, b] : [b, a];
    const { blocked: x, image } = this.#blocked.get(from) as Blocked;
    const numbers = this.#blocked.has(other) ? undefined : this.#numbersOf(other, image, place);
    if (!numbers || x.type !== 'float32' || (opType === 'Sub' && other === a)) return undefined;
    const g = this.#g;
    if (isBySample(numbers.shape, image))
      return this.#pass(output, image, this.#bySample(opType, x, numbers));
    const channels = image[1];
    if (!isByChannel(numbers.shape, channels)) return undefined;
    const list = this.#eachChannel(g.reshape(numbers, [channels]), x);
    if (opType === 'Mul') return this.#pass(output, image, channelPass(g, { x, scale: list }));
    const shift = opType === 'Sub' ? g.neg(list) : list;
    const pass = this.#passOf(from)?.withShift(shift) ?? channelPass(g, { x, shift });
    return this.#pass(output, image, pass);
  }

  /** What is multiplied or added: numbers for each channel of each sample before they are spread over the pixels. */
  #numbersOf(value: Value, image: ImageShape, place: CopyPlace): TypedValue | undefined {
    const spread = this.#spread.get(value);
    const before = spread && place.read(spread);
    return before && isBySample(before.shape, image) ? before : place.read(value);
  }

  /** Samples and channels together are the channels of one image. */
  #bySample(opType: string, x: TypedValue, numbers: TypedValue): SinglePass {
    const g = this.#g;
    const shape = imageShape(x) as ImageShape;
    const list = g.reshape(numbers, [shape[0] * shape[1]]);
    const image = g.reshape(x, withShared(shape, shape[0]));
    const part = opType === 'Mul' ? { scale: list } : { shift: opType === 'Sub' ? g.neg(list) : list };
    return seenAs(g, channelPass(g, { x: image, ...part }), shape);
  }

  #elementwise(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    const first = node.inputs.find((value) => value && this.#blocked.has(value)) as Value;
    const { image } = this.#blocked.get(first) as Blocked;
    const operands: (TypedValue | null)[] = [];
    for (const value of node.inputs) {
      const here = value && (this.#blocked.get(value)?.blocked ?? place.read(value));
      const scalar = value && !this.#blocked.has(value) && here?.shape.every((dim) => dim === 1);
      const laid = value && !scalar ? this.#inBlocks(value, place) : undefined;
      if (value && !scalar && laid?.image.join() !== image.join()) return undefined;
      operands.push((scalar ? here : laid?.blocked) ?? null);
    }
    const pass = this.#taken(node, operands);
    if (pass) return this.#pass(output, image, pass);
    const [a, b] = operands;
    if (node.opType === 'Mul' && a?.shape.length === 4 && a.shape.join() === b?.shape.join())
      this.#products.set(output, [a, b]);
    return { blocked: this.#g.op(node.opType, operands, Object.fromEntries(node.attributes)), image };
  }

  /** A sum of two, or an activation, that goes into the pass that made its operand. */
  #taken({ opType, inputs }: Node, operands: readonly (TypedValue | null)[]): SinglePass | undefined {
    if (opType === 'Relu') return this.#passOf(inputs[0])?.withMore({ activation: 'Relu' });
    const [a, b] = operands;
    if (opType !== 'Add' || !a || !b || a.shape.join() !== b.shape.join()) return undefined;
    return this.#passOf(inputs[0])?.withMore({ sum: b }) ?? this.#passOf(inputs[1])?.withMore({ sum: a });
  }

  #weightGradient(output: Value, place: CopyPlace): readonly TypedValue[] | undefined {
    const noted = notedGradient(output);
    if (noted?.of !== 'weight') return undefined;
    const g = this.#g;
    const key = this.#keyOf(noted);
    const form = this.#weightForms[key] ?? (this.#chosen[key] === 'blocked' ? 'blocked' : undefined);
    if (form !== 'blocked') {
      const { forms } = noted;
      const [from, to] = [place.read(noted.x), place.read(noted.dy)];
      return form && forms && form !== forms.own && from && to ? [forms.as(g, form, from, to)] : undefined;
    }
    const shape = output.shape as number[];
    const [outputs, inputs, ...kernel] = shape;
    if (noted.group > 1) {
      const x = this.#inBlocks(noted.x, place)?.blocked;
      const dy = x && this.#inBlocks(noted.dy, place)?.blocked;
      return dy && [blockedDepthwiseGradient(g, { ...noted, x, dy, shape }, this.#block)];
    }
    const x = place.read(noted.x);
    const images = x && imageShape(x);
    const sizes = imageShape(noted.dy);
    const shared = samplesShared(outputs, this.#block);
    if (!x || !images || !sizes || !shared || images[0] % shared !== 0) return undefined;
    const whole = [outputs * shared, inputs * shared, ...kernel];
    if (!hasBlockedWeightGradient(noted, whole, sizes, this.#block)) return undefined;
    const dy = this.#inBlocks(noted.dy, place)?.blocked;
    if (!dy) return undefined;
    const side = g.reshape(x, withShared(images, shared));
    const blockedX = this.#blocked.get(noted.x)?.blocked;
    const all = blockedWeightGradient(g, { ...noted, x: side, blockedX, dy, shape: whole }, this.#block);
    return [unsharedGradient(g, all, shared)];
  }
}

/** Whether it broadcasts against [N, C, H, W] as one number for each channel. */
function isByChannel(shape: TypedValue['shape'], channels: number): boolean {
  const whole = [...new Array<number>(Math.max(0, 4 - shape.length)).fill(1), ...shape];
  return whole.join() === `1,${channels},1,1`;
}

/** Whether it broadcasts against [N, C, H, W] as one number for each channel of each sample. */
function isBySample(shape: TypedValue['shape'], image: ImageShape): boolean {
  return shape.join() === `${image[0]},${image[1]},1,1`;
}
