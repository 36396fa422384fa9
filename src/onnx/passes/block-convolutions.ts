import { fromBlocks, imageShape, overPixels, toBlocks, weightBlocks } from '../blocked/kernels.ts';
import { notedGradient } from '../blocked/noted-convolution.ts';
import { channelPass, convolutionPass, type SinglePass } from '../blocked/single-pass.ts';
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

/** In blocks, or in the standard order. */
type Laid = { readonly blocked: TypedValue } | { readonly standard: TypedValue };

/**
 * Lays stretches of a training step in blocks of channels, which ONNX Runtime's own kernels read and write: tensors are
 * reordered where a stretch begins and ends. Results stay what they were, up to rounding.
 *
 * A convolution for which that form was chosen begins a stretch, forward and as the gradient of an input; elementwise
 * operators, sums of residuals, batch normalisations and reductions to channels over a blocked tensor continue it.
 * Everything else ends it. The gradient of its weights is computed from blocked operands where it can be
 * (`blockedWeightGradient`). Channels that are not whole blocks stay as they are.
 */
export function blockConvolutions(graph: Graph, formulations: Formulations): Graph {
  const { block, convolutions } = formulations;
  if (block === 0 || !Object.values(convolutions).includes('blocked')) return graph;
  return new BlockedLayout(graph, formulations).build();
}

class BlockedLayout {
  readonly #g: GraphBuilder;
  readonly #graph: Graph;
  readonly #block: number;
  readonly #chosen: Formulations['convolutions'];
  /** What is blocked here, by the value of the graph that it stands for. */
  readonly #blocked = new Map<Value, TypedValue>();
  readonly #passes = new Map<Value, SinglePass>();
  /** How often each value is read. */
  readonly #reads = new Map<Value, number>();

  constructor(graph: Graph, { block, convolutions }: Formulations) {
    this.#g = new GraphBuilder(graph.opsets.get(''));
    this.#graph = graph;
    this.#block = block;
    this.#chosen = convolutions;
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
    this.#blocked.set(output, laid.blocked);
    if (laid.blocked.type === 'float32') return [fromBlocks(this.#g, laid.blocked)];
    // No operator reorders masks: the standard form stands beside, and goes where nothing reads it.
    const inputs = node.inputs.map((value) => value && (place.read(value) ?? null));
    return [this.#g.op(node.opType, inputs, Object.fromEntries(node.attributes))];
  }

  #laid(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    if (node.opType === 'Conv') return this.#convolution(node, place, output);
    if (!node.inputs.some((value) => value && this.#blocked.has(value))) return undefined;
    if (node.opType === 'BatchNormalization') return this.#normalization(node, place, output);
    if (node.opType === 'ReduceSum' || node.opType === 'ReduceMean') return this.#reduction(node, place);
    if (node.opType === 'GlobalAveragePool') return this.#globalPool(node);
    if (!ELEMENTWISE.has(node.opType)) return undefined;
    return this.#byChannel(node, place, output) ?? this.#elementwise(node, place, output);
  }

  /** A value in blocks: as it is, or reordered; undefined where its channels are not whole blocks. */
  #inBlocks(value: Value, place: CopyPlace): TypedValue | undefined {
    const known = this.#blocked.get(value);
    if (known) return known;
    const here = place.read(value);
    const shape = here?.type === 'float32' ? imageShape(here) : undefined;
    if (!here || !shape || shape[1] % this.#block !== 0) return undefined;
    const reordered = toBlocks(this.#g, here);
    this.#blocked.set(value, reordered);
    return reordered;
  }

  #pass(output: Value, pass: SinglePass): Laid {
    this.#passes.set(output, pass);
    return { blocked: pass.value };
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
    if (!geometry || outputs % this.#block !== 0 || (group !== 1 && !depthwise)) return undefined;
    // An image's few channels are read in the standard order.
    const few = group === 1 && inputs < this.#block;
    const source = few ? x : this.#inBlocks(first as Value, place);
    if (!source) return undefined;
    const weights = weightBlocks(this.#g, w, this.#block, few || depthwise);
    const { strides, dilations, before, after } = geometry;
    return this.#pass(
      output,
      convolutionPass(
        this.#g,
        { x: source, weights, ...(bias ? { bias } : {}) },
        { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group },
      ),
    );
  }

  /** With statistics that are given. */
  #normalization(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    if (intAttribute(node, 'training_mode', 0) === 1) return undefined;
    const g = this.#g;
    const [value, ...rest] = node.inputs as Value[];
    const x = this.#blocked.get(value);
    const [scale, bias, mean, variance] = rest.map((parameter) => place.read(parameter));
    if (!x || !scale || !bias || !mean || !variance) return undefined;
    const slope = g.div(scale, g.sqrt(g.add(variance, floatAttribute(node, 'epsilon', 1e-5))));
    return this.#pass(output, channelPass(g, { x, scale: slope, shift: g.sub(bias, g.mul(mean, slope)) }));
  }

  /** Sums and means of each channel, or of each channel of each sample. */
  #reduction(node: Node, place: CopyPlace): Laid | undefined {
    const g = this.#g;
    const [value, list] = node.inputs;
    const x = this.#blocked.get(value as Value);
    const axesValue = list && place.read(list);
    const axes = axesValue && g.constantOf(axesValue);
    if (x?.type !== 'float32' || !axes || Array.isArray(axes.data)) return undefined;
    const over = [...axes.data]
      .map((axis) => (Number(axis) + 4) % 4)
      .sort()
      .join();
    if (over !== '0,2,3' && over !== '2,3') return undefined;
    const operator = node.opType as 'ReduceSum' | 'ReduceMean';
    const keep = intAttribute(node, 'keepdims', 1) === 1;
    const [batch, channels] = x.shape as number[];
    const bySample = overPixels(g, operator, x, this.#block);
    if (over === '2,3') return { standard: keep ? g.reshape(bySample, [batch, channels, 1, 1]) : bySample };
    const whole = g.op(operator, [bySample, g.ints([0])], { keepdims: 0 });
    return { standard: keep ? g.reshape(whole, [1, channels, 1, 1]) : whole };
  }

  #globalPool(node: Node): Laid | undefined {
    const x = this.#blocked.get(node.inputs[0] as Value);
    if (!x) return undefined;
    const [batch, channels] = x.shape as number[];
    return {
      standard: this.#g.reshape(overPixels(this.#g, 'ReduceMean', x, this.#block), [batch, channels, 1, 1]),
    };
  }

  /** A product or sum with one number for each channel. */
  #byChannel({ opType, inputs }: Node, place: CopyPlace, output: Value): Laid | undefined {
    if (!['Mul', 'Add', 'Sub'].includes(opType)) return undefined;
    const [a, b] = inputs as Value[];
    const [image, other] = this.#blocked.has(a) ? [a, b] : [b, a];
    const x = this.#blocked.get(image) as TypedValue;
    const numbers = this.#blocked.has(other) ? undefined : place.read(other);
    const channels = x.shape[1] as number;
    if (!numbers || x.type !== 'float32' || !isByChannel(numbers.shape, channels)) return undefined;
    const g = this.#g;
    const list = g.reshape(numbers, [channels]);
    if (opType === 'Mul') return this.#pass(output, channelPass(g, { x, scale: list }));
    if (opType === 'Sub' && other === a) return undefined;
    const shift = opType === 'Sub' ? g.neg(list) : list;
    const pass = this.#passOf(image)?.withShift(shift) ?? channelPass(g, { x, shift });
    return this.#pass(output, pass);
  }

  #elementwise(node: Node, place: CopyPlace, output: Value): Laid | undefined {
    const first = node.inputs.find((value) => value && this.#blocked.has(value)) as Value;
    const shape = this.#blocked.get(first)?.shape.join();
    const operands: (TypedValue | null)[] = [];
    for (const value of node.inputs) {
      const here = value && (this.#blocked.get(value) ?? place.read(value));
      const scalar = here?.shape.every((dim) => dim === 1);
      const operand = value && (scalar && !this.#blocked.has(value) ? here : this.#inBlocks(value, place));
      if (value && !(operand && (scalar || operand.shape.join() === shape))) return undefined;
      operands.push(operand ?? null);
    }
    const pass = this.#taken(node, operands);
    if (pass) return this.#pass(output, pass);
    return { blocked: this.#g.op(node.opType, operands, Object.fromEntries(node.attributes)) };
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
    if (noted?.of !== 'weight' || this.#chosen[this.#keyOf(noted)] !== 'blocked') return undefined;
    const x = place.read(noted.x);
    const shape = output.shape as number[];
    const sizes = imageShape(noted.dy);
    if (!x || !sizes || !hasBlockedWeightGradient(noted, shape, sizes, this.#block)) return undefined;
    const dy = this.#inBlocks(noted.dy, place);
    return dy && [blockedWeightGradient(this.#g, { ...noted, x, dy, shape }, this.#block)];
  }
}

/** Whether it broadcasts against [N, C, H, W] as one number for each channel. */
function isByChannel(shape: TypedValue['shape'], channels: number): boolean {
  const whole = [...new Array<number>(Math.max(0, 4 - shape.length)).fill(1), ...shape];
  return whole.join() === `1,${channels},1,1`;
}
