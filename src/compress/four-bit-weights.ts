import type { Graph, Value } from '../onnx/graph.ts';
import { elementCount, float32, int64, type Tensor, tensor } from '../onnx/tensor.ts';
import {
  type Blocks,
  type BlockwiseForm,
  evenWidth,
  type FourBitForm,
  MIDDLE,
  packHalves,
  packPairs,
  quantizeBlocks,
  type ScaleRule,
} from './blockwise.ts';
import type { GraphRewriter } from './graph-rewriter.ts';
import { transpose } from './int8-weights.ts';
import { keptQuantization } from './kept-quantization.ts';
import type { EmbeddingLayer, LinearLayer, QuantizableLayer } from './quantizable-layers.ts';

const MICROSOFT = 'com.microsoft';
const BITS = 4;
/** What the nodes that expand a layer's weights take in a file, with their names: about so many bytes. */
const GRAPH_BYTES = { load: 2200, run: 500 } as const;

/** How the scales of a graph's blocks are found: by one rule, or as they were learnt, by `blocksKey`. */
export type ScalesOfBlocks = Exclude<ScaleRule, Float32Array> | ReadonlyMap<string, Float32Array>;

/** Emits layers with weights of 4 bits; activations stay as they are. */
export class FourBitWeights {
  readonly #graph: Graph;
  readonly #rewriter: GraphRewriter;
  readonly #form: FourBitForm;
  readonly #scales: ScalesOfBlocks;
  readonly #made = new Map<string, readonly (Value | null)[]>();
  readonly #numbers = new Map<number, Value>();

  constructor(
    graph: Graph,
    rewriter: GraphRewriter,
    form: FourBitForm,
    scales: ScalesOfBlocks = 'least-error',
  ) {
    this.#graph = graph;
    this.#rewriter = rewriter;
    this.#form = form;
    this.#scales = scales;
  }

  /** Emits a layer; false for one that would not become smaller, which stays as it is. */
  layer(layer: QuantizableLayer): boolean {
    const kept = keptInFourBits(layer, this.#content(layer.weight).dims, this.#form);
    if (!kept) return false;
    if (!kept.isRun) this.#loaded(layer, kept.width);
    else if (layer.kind === 'linear') this.#product(layer);
    else if (layer.kind === 'embedding') this.#lookup(layer);
    return true;
  }

  /** The same node, over weights that are expanded as the model is loaded. */
  #loaded(layer: QuantizableLayer, width: number): void {
    const { node, weight } = layer;
    const expanded = this.#expanded(layer, width);
    this.#rewriter.keep(
      node,
      node.inputs.map((value) => (value === weight ? expanded : value)),
    );
    const after = layer.kind === 'linear' ? layer.biasNode : layer.kind === 'convolution' && layer.relu;
    if (after) this.#rewriter.keep(after, after.inputs);
  }

  #expanded(layer: QuantizableLayer, width: number): Value {
    const { weight } = layer;
    const turned = isTurned(layer);
    const [expanded] = this.#once(`${weight.name} ${turned}`, () => {
      const rewriter = this.#rewriter;
      const { dims } = this.#content(weight);
      const blocks = this.#blocks(layer, width);
      const { rows, columns, count, levels, scales, zeroPoints } = blocks;
      const all = rows * count;
      const half = Math.ceil(all / 2);
      const emit = (
        opType: string,
        inputs: readonly Value[],
        stem: string,
        shape: readonly number[],
        attributes = {},
      ) =>
        rewriter.emit(
          opType,
          inputs,
          { name: `${weight.name}_${stem}`, type: 'float32' as const, shape },
          attributes,
        );
      const constant = (stem: string, content: Tensor) =>
        rewriter.initializer(`${weight.name}_${stem}`, content);
      // A byte is 16 times its upper half and its lower half: floats of both are exact.
      const bytes = emit(
        'Cast',
        [constant('q4', tensor('uint8', [half, width], packHalves(levels, width)))],
        'bytes',
        [half, width],
        { to: 1 },
      );
      const sixteenths = emit('Mul', [bytes, this.#number(1 / 16)], 'sixteenths', [half, width]);
      const upper = emit('Floor', [sixteenths], 'upper', [half, width]);
      const shifted = emit('Mul', [upper, this.#number(16)], 'shifted', [half, width]);
      const lower = emit('Sub', [bytes, shifted], 'lower', [half, width]);
      let made = emit('Concat', [lower, upper], 'levels', [2 * half, width], { axis: 0 });
      const part = (stem: string, shape: readonly number[], axis: number) => {
        const [from, to, axes] = [0, shape[axis] as number, axis].map((one) =>
          constant('part', int64([one])),
        );
        return emit('Slice', [made, from as Value, to as Value, axes as Value], stem, shape);
      };
      if (2 * half !== all) made = part('blocks', [all, width], 0);
      const zero = this.#form.zeroPoints
        ? emit('Cast', [constant('q4_zero', tensor('uint8', [all, 1], zeroPoints))], 'zero', [all, 1], {
            to: 1,
          })
        : this.#number(MIDDLE);
      made = emit('Sub', [made, zero], 'centred', [all, width]);
      made = emit('Mul', [made, constant('q4_scale', float32(scales, [all, 1]))], 'scaled', [all, width]);
      const padded = count * width;
      if (padded !== columns) {
        made = emit('Reshape', [made, constant('rows', int64([rows, padded]))], 'rows', [rows, padded]);
        made = part('own', [rows, columns], 1);
      }
      const shape = turned ? [rows, columns] : dims;
      made = emit('Reshape', [made, constant('shape', int64(shape))], 'matrix', shape);
      return [turned ? emit('Transpose', [made], 'turned', dims, { perm: [1, 0] }) : made];
    }) as readonly [Value];
    return expanded;
  }

  #number(value: number): Value {
    const made = this.#numbers.get(value) ?? this.#rewriter.initializer('q4_number', float32([value], []));
    this.#numbers.set(value, made);
    return made;
  }

  #product(layer: LinearLayer): void {
    const rewriter = this.#rewriter;
    const { weight, bias, input, output, alpha, beta } = layer;
    const { block } = this.#form;
    const [outputs, inputs] = rowsOf(layer, this.#content(weight).dims);
    const parts = this.#once(`${weight.name} ${layer.transposed} ${alpha} product`, () => {
      const blocks = this.#blocks(layer, block);
      const { count, levels, scales } = blocks;
      const add = (stem: string, content: Tensor) => rewriter.initializer(`${weight.name}_${stem}`, content);
      return [
        add('q4', tensor('uint8', [outputs, count, block / 2], packPairs(levels, count * block))),
        add(
          'q4_scale',
          float32(
            scales.map((scale) => scale * alpha),
            [outputs, count],
          ),
        ),
        this.#zeroPoints(weight, blocks),
      ];
    });
    const attributes = {
      K: inputs,
      N: outputs,
      bits: BITS,
      block_size: block,
      // Level 4 would round activations to int8 in Node, and not in WebAssembly.
      accuracy_level: 0,
    };
    const { name, shape } = output;
    const product = bias ? { name: `${name}_product`, type: 'float32' as const, shape } : output;
    const sum = rewriter.emit('MatMulNBits', [input, ...parts], product, attributes, MICROSOFT);
    if (bias) rewriter.emit('Add', [sum, this.#bias(bias, beta)], output);
  }

  #bias(bias: Value, beta: number): Value {
    if (beta === 1) return bias;
    const { dims, data } = this.#content(bias);
    const scaled = (data as Float32Array).map((value) => value * beta);
    return this.#rewriter.initializer(`${bias.name}_row`, float32(scaled, dims));
  }

  #lookup(layer: EmbeddingLayer): void {
    const { weight, indices, output } = layer;
    const { block } = this.#form;
    const parts = this.#once(`${weight.name} lookup`, () => {
      const blocks = this.#blocks(layer, block);
      const { rows, columns, count, width, levels, scales } = blocks;
      const own = levels.filter((_, i) => i % (count * width) < columns);
      const add = (stem: string, content: Tensor) =>
        this.#rewriter.initializer(`${weight.name}_table_${stem}`, content);
      return [
        add('q4', tensor('uint8', [rows, columns / 2], packPairs(own, columns))),
        add('q4_scale', float32(scales, [rows, count])),
        this.#zeroPoints(weight, blocks),
      ];
    });
    const [table, scales, points] = parts as [Value, Value, Value | null];
    const attributes = { bits: BITS, block_size: block, gather_axis: 0, quantize_axis: 1 };
    const inputs = [table, indices, scales, points];
    this.#rewriter.emit('GatherBlockQuantized', inputs, output, attributes, MICROSOFT);
  }

  #zeroPoints({ name }: Value, { rows, count, zeroPoints }: Blocks): Value | null {
    if (!this.#form.zeroPoints) return null;
    const packed = packPairs(zeroPoints, count);
    return this.#rewriter.initializer(
      `${name}_q4_zero`,
      tensor('uint8', [rows, packed.length / rows], packed),
    );
  }

  /** A layer's weights in levels, a row for each output (for each token, of a table). */
  #blocks(layer: QuantizableLayer, width: number): Blocks {
    const scales = this.#scales;
    const rule = typeof scales === 'string' ? scales : (scales.get(blocksKey(layer, width)) ?? 'least-error');
    const { zeroPoints } = this.#form;
    return blocksOf(layer, this.#content(layer.weight), width, { zeroPoints, scales: rule });
  }

  /** What layers that share weights share. */
  #once(key: string, make: () => readonly (Value | null)[]): readonly (Value | null)[] {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }

  #content(value: Value): Tensor {
    const content = this.#graph.initializers.get(value);
    if (!content) throw new Error(`'${value.name}' is no constant`);
    return content;
  }
}

/** Emits layers with weights of 4 bits among those of a graph in int8. */
export function fourBitEmitter(graph: Graph, rewriter: GraphRewriter): FourBitWeights {
  const form: FourBitForm = { block: 32, zeroPoints: false, expand: 'load' };
  return new FourBitWeights(graph, rewriter, form, scalesOfBlocks(graph, form));
}

/** The scales of a graph's blocks: those of its training, where it was trained with the roundings of this form. */
export function scalesOfBlocks(graph: Graph, { block, expand, zeroPoints }: FourBitForm): ScalesOfBlocks {
  const trained = keptQuantization(graph)?.fourBit;
  if (trained?.block !== block || trained.expand !== expand || zeroPoints) return 'least-error';
  return trained.steps ?? 'largest';
}

/** A layer's weights in levels, a row for each output (for each token, of a table). */
export function blocksOf(
  layer: QuantizableLayer,
  { dims, data }: Tensor,
  width: number,
  options: { readonly zeroPoints: boolean; readonly scales: ScaleRule },
): Blocks {
  const values = data as Float32Array;
  const matrix = isTurned(layer) ? transpose(values, dims[0] as number, dims[1] as number) : values;
  return quantizeBlocks(matrix, rowsOf(layer, dims), width, { name: layer.weight.name, ...options });
}

/** Whether a layer's weights have a column for each output, so that blocks go down them. */
export function isTurned(layer: QuantizableLayer): boolean {
  return layer.kind === 'linear' && !layer.transposed;
}

/** A name for the blocks of a layer's weights: the same for layers that share them. */
export function blocksKey(layer: QuantizableLayer, width: number): string {
  return `${layer.weight.name}/${isTurned(layer) ? 'columns' : 'rows'}_of_${width}`;
}

/** How a layer's weights are kept in 4 bits. */
export interface KeptInFourBits {
  /** Outputs of the layer (rows of a table), and weights of each. */
  readonly rows: number;
  readonly columns: number;
  /** Weights in a block. */
  readonly width: number;
  /** Whether an operator expands them where it uses them. */
  readonly isRun: boolean;
}

/** How a layer with weights of these sizes is kept; undefined for one that would not become smaller. */
export function keptInFourBits(
  layer: QuantizableLayer,
  dims: readonly number[],
  form: FourBitForm,
): KeptInFourBits | undefined {
  const [rows, columns] = rowsOf(layer, dims);
  const isRun = form.expand === 'run' && fitsOperator(layer, columns);
  const width = isRun ? form.block : evenWidth(columns, form.block);
  const inFile = bytesOf(rows, columns, width, form) + GRAPH_BYTES[isRun ? 'run' : 'load'];
  return inFile < 4 * elementCount(dims) ? { rows, columns, width, isRun } : undefined;
}

/** Outputs of a layer (rows of a table), and weights of each. */
function rowsOf(layer: QuantizableLayer, dims: readonly number[]): [number, number] {
  const [first = 0, ...rest] = dims;
  const inner = elementCount(rest);
  return layer.kind === 'linear' && !layer.transposed ? [inner, first] : [first, inner];
}

/** Whether there is an operator that expands the layer's weights where it uses them. */
function fitsOperator({ kind }: QuantizableLayer, columns: number): boolean {
  // In a table two levels share a byte.
  return kind === 'linear' || (kind === 'embedding' && columns % 2 === 0);
}

/** Bytes that weights take in 4 bits, with scales and zero points. */
function bytesOf(rows: number, columns: number, width: number, { zeroPoints }: BlockwiseForm): number {
  const count = Math.ceil(columns / width);
  return rows * count * (width / 2 + 4 + (zeroPoints ? 1 : 0));
}
