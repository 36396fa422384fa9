import { LimbeckError } from '../errors.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';
import { tensor } from '../onnx/tensor.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { type AffineParameters, affineUint8 } from './int8.ts';
import { Int8Weights, type LinearWeights, type TableScales } from './int8-weights.ts';
import { type LinearLayer, type QuantizableLayer, quantizableLayers } from './quantizable-layers.ts';
import { chooseRange, type RangeMethod, type Ranges } from './range.ts';

/**
 * How an int8 product is written down (docs/measurements-int8.md):
 * - `integer-to-float`: QuantizeLinear, com.microsoft::MatMulIntegerToFloat. The fastest with fixed ranges, in
 *   ONNX Runtime everywhere, the web included.
 * - `matmul-integer`: QuantizeLinear, MatMulInteger, Cast, Mul: standard ONNX, for other runtimes.
 * - `qdq`: fake quantisation around a float MatMul, which runtimes fuse where they can; quantises the output too.
 */
export type Int8Formulation = 'integer-to-float' | 'matmul-integer' | 'qdq';

export interface QuantizeOptions {
  /** Names of layers (see `quantizableLayers`) that stay in float32. */
  exclude?: readonly string[];
  /** Scales of embedding tables; `row` by default. */
  tableScales?: TableScales;
  /**
   * 7-bit weights: x86 processors without VNNI add two products in 16 bits, which saturate with all eight, and the
   * same file would answer otherwise on them (docs/measurements-int8.md). True by default; false where the file only
   * runs on processors with VNNI, on ARM or in WASM.
   */
  reduceRange?: boolean;
}

export interface QuantizeStaticOptions extends QuantizeOptions {
  /** `integer-to-float` by default. */
  formulation?: Int8Formulation;
  /** How activation ranges are chosen; all that was seen by default. */
  range?: RangeMethod;
}

/** The values whose ranges `quantizeStatic` needs: give these names to `collectRanges`. */
export function valuesToCalibrate(graph: Graph, options: QuantizeStaticOptions = {}): string[] {
  const names = new Set<string>();
  for (const layer of chosenLayers(graph, options.exclude)) {
    if (layer.kind !== 'linear') continue;
    names.add(layer.input.name);
    if (options.formulation === 'qdq') names.add(productOf(layer).name);
  }
  return [...names];
}

/**
 * The graph with products of constant weights and embedding tables in int8: weights symmetric with a scale per
 * output channel, activations uint8 with a fixed range. What a row comes to does not depend on the rest of its
 * batch, unlike with `quantizeDynamic`. Names and shapes of inputs and outputs stay.
 *
 * @param ranges from `collectRanges(graph, valuesToCalibrate(graph, options), ...)`.
 * @throws LimbeckError `export.calibration` for a value without a range, `export.weights` for weights that are
 *   not finite, `export.layer` for an excluded name that is no layer, `export.opset` below opset 13.
 */
export function quantizeStatic(graph: Graph, ranges: Ranges, options: QuantizeStaticOptions = {}): Graph {
  const formulation = options.formulation ?? 'integer-to-float';
  const method = options.range ?? { kind: 'min-max' };
  const rewriter = new GraphRewriter(graph);
  const weights = new Int8Weights(graph, rewriter, options.reduceRange ?? true);
  const activations = new Uint8Activations(rewriter, ranges, method);
  return rewriteLayers(graph, rewriter, options, (layer) => {
    if (layer.kind === 'embedding') weights.emitEmbedding(layer, options.tableScales ?? 'row');
    else emitters[formulation](rewriter, layer, weights.linear(layer), activations);
  });
}

/** Replaces every layer that is not excluded by what `emit` emits for it. */
export function rewriteLayers(
  graph: Graph,
  rewriter: GraphRewriter,
  options: QuantizeOptions,
  emit: (layer: QuantizableLayer) => void,
): Graph {
  const opset = graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 0;
  if (opset < 13) {
    throw new LimbeckError('export.opset', `int8 needs ONNX opset 13 or newer; the model has ${opset}`, {
      remedy: 'Export the model again with a newer opset.',
    });
  }
  const layers = new Map<Node, QuantizableLayer>();
  const taken = new Set<Node>();
  for (const layer of chosenLayers(graph, options.exclude)) {
    layers.set(layer.node, layer);
    if (layer.kind === 'linear' && layer.biasNode) taken.add(layer.biasNode);
  }
  return rewriter.rewrite((node) => {
    const layer = layers.get(node);
    if (layer) emit(layer);
    return layer !== undefined || taken.has(node);
  });
}

function chosenLayers(graph: Graph, exclude: readonly string[] = []): QuantizableLayer[] {
  const layers = quantizableLayers(graph);
  const unknown = exclude.filter((name) => !layers.some((layer) => layer.name === name));
  if (unknown.length > 0) {
    throw new LimbeckError('export.layer', `there is no int8 layer called '${unknown[0]}'`, {
      where: `layers: ${layers.map((layer) => layer.name).join(', ') || 'none'}`,
      remedy: 'Exclude layers by these names.',
    });
  }
  return layers.filter((layer) => !exclude.includes(layer.name));
}

/** What the product gives before the bias is added. */
function productOf(layer: LinearLayer): Value {
  return layer.node.outputs[0] as Value;
}

/** Quantises each activation once, however many layers read it (queries, keys and values do). */
class Uint8Activations {
  readonly #rewriter: GraphRewriter;
  readonly #ranges: Ranges;
  readonly #method: RangeMethod;
  readonly #made = new Map<Value, Uint8Activation>();

  constructor(rewriter: GraphRewriter, ranges: Ranges, method: RangeMethod) {
    this.#rewriter = rewriter;
    this.#ranges = ranges;
    this.#method = method;
  }

  /** The value as uint8. */
  of(value: Value): Uint8Activation {
    let made = this.#made.get(value);
    if (!made) {
      const { scale, zeroPoint, parameters } = this.parameters(value.name);
      const levels = this.#rewriter.emit('QuantizeLinear', [value, scale, zeroPoint], {
        name: `${value.name}_uint8`,
        type: 'uint8',
        shape: value.shape,
      });
      made = { value: levels, scale, zeroPoint, parameters };
      this.#made.set(value, made);
    }
    return made;
  }

  /** Scale and zero point of the value called `name`, less an addend whose least and largest are given. */
  parameters(name: string, [least, largest] = [0, 0]): Omit<Uint8Activation, 'value'> {
    const observed = this.#ranges.get(name);
    if (!observed) {
      throw new LimbeckError('export.calibration', `'${name}' has not been calibrated`, {
        remedy: 'Calibrate all of valuesToCalibrate(graph, options), with the options that quantise.',
      });
    }
    const [low, high] = chooseRange(observed, this.#method);
    const parameters = affineUint8(low - largest, high - least);
    return {
      parameters,
      scale: this.#rewriter.initializer(
        `${name}_act_scale`,
        tensor('float32', [], Float32Array.of(parameters.scale)),
      ),
      zeroPoint: this.#rewriter.initializer(
        `${name}_act_zero`,
        tensor('uint8', [], Uint8Array.of(parameters.zeroPoint)),
      ),
    };
  }
}

interface Uint8Activation {
  readonly value: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
  readonly parameters: AffineParameters;
}

type EmitLinear = (
  rewriter: GraphRewriter,
  layer: LinearLayer,
  weights: LinearWeights,
  activations: Uint8Activations,
) => void;

const emitters: Record<Int8Formulation, EmitLinear> = {
  'integer-to-float': (rewriter, layer, { weight, scales, bias }, activations) => {
    const x = activations.of(layer.input);
    const inputs = [x.value, weight, x.scale, scales, x.zeroPoint, null, bias];
    rewriter.emit('MatMulIntegerToFloat', inputs, layer.output, {}, 'com.microsoft');
  },

  'matmul-integer': (rewriter, layer, { weight, scaleValues, bias }, activations) => {
    const { name } = layer.output;
    const { shape } = layer.output;
    const x = activations.of(layer.input);
    const sums = rewriter.emit('MatMulInteger', [x.value, weight, x.zeroPoint], {
      name: `${name}_int32`,
      type: 'int32',
      shape,
    });
    const whole = rewriter.emit('Cast', [sums], { name: `${name}_sums`, type: 'float32', shape }, { to: 1 });
    const factors = scaleValues.map((scale) => scale * x.parameters.scale);
    const factor = rewriter.initializer(`${name}_factor`, tensor('float32', [factors.length], factors));
    if (!bias) rewriter.emit('Mul', [whole, factor], layer.output);
    else {
      const scaled = { name: `${name}_scaled`, type: 'float32' as const, shape };
      rewriter.emit('Add', [rewriter.emit('Mul', [whole, factor], scaled), bias], layer.output);
    }
  },

  qdq: (rewriter, layer, { weight, scales, bias, calibratedBias }, activations) => {
    const { name, shape } = layer.output;
    const x = activations.of(layer.input);
    const float = (stem: string, of: Value) => ({ name: stem, type: 'float32' as const, shape: of.shape });
    const left = rewriter.emit(
      'DequantizeLinear',
      [x.value, x.scale, x.zeroPoint],
      float(`${name}_left`, layer.input),
    );
    const right = rewriter.emit('DequantizeLinear', [weight, scales], float(`${name}_right`, weight), {
      axis: 1,
    });
    const product = rewriter.emit('MatMul', [left, right], {
      name: `${name}_product`,
      type: 'float32',
      shape,
    });
    const { scale, zeroPoint } = activations.parameters(productOf(layer).name, calibratedBias);
    const levels = rewriter.emit('QuantizeLinear', [product, scale, zeroPoint], {
      name: `${name}_uint8`,
      type: 'uint8',
      shape,
    });
    if (!bias) rewriter.emit('DequantizeLinear', [levels, scale, zeroPoint], layer.output);
    else {
      const back = rewriter.emit(
        'DequantizeLinear',
        [levels, scale, zeroPoint],
        float(`${name}_back`, layer.output),
      );
      rewriter.emit('Add', [back, bias], layer.output);
    }
  },
};
