import { LimbeckError } from '../errors.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { tensor } from '../onnx/tensor.ts';

import { GraphRewriter, type Target } from './graph-rewriter.ts';

import { Int8Weights, type LinearWeights, type TableScales } from './int8-weights.ts';
import { integerRegion } from './integer-region.ts';
import { type TrainedQuantization, withoutQuantization } from './kept-quantization.ts';
import {
  type ConvolutionLayer,
  type LinearLayer,
  type QuantizableLayer,
  quantizableLayers,
} from './quantizable-layers.ts';
import { ConvolutionEmitter } from './quantize-convolution.ts';
import type { RangeMethod, Ranges } from './range.ts';
import { Uint8Activations } from './uint8-activations.ts';
import { type WeightOptions, weightForm } from './weight-form.ts';

/**
 * How an int8 product is written down (docs/measurements-int8.md):
 * - `integer-to-float`: QuantizeLinear, com.microsoft::MatMulIntegerToFloat. The fastest with fixed ranges, in
 *   ONNX Runtime everywhere, the web included.
 * - `matmul-integer`: QuantizeLinear, MatMulInteger, Cast, Mul: standard ONNX, for other runtimes.
 * - `qdq`: fake quantisation around a float MatMul, which runtimes fuse where they can; quantises the output too.
 */
export type Int8Formulation = 'integer-to-float' | 'matmul-integer' | 'qdq';

export interface QuantizeOptions extends WeightOptions {
  /** Names of layers (see `quantizableLayers`) that stay in float32. */
  exclude?: readonly string[];
  /** Scales of embedding tables; `row` by default. */
  tableScales?: TableScales;
}

export interface QuantizeStaticOptions extends QuantizeOptions {
  /** `integer-to-float` by default. */
  formulation?: Int8Formulation;
  /** How activation ranges are chosen; all that was seen by default. */
  range?: RangeMethod;
  /** Activations that are in it need no range. */
  trained?: TrainedQuantization | undefined;
  /** Layers that have weights of 4 bits instead, and float32 activations, and what emits them (`fourBitEmitter`). */
  fourBit?: {
    readonly layers: readonly string[];
    readonly emitter: (graph: Graph, rewriter: GraphRewriter) => Pick<LayerEmitter, 'layer'>;
  };
}

/** The values whose ranges `quantizeStatic` needs: give these names to `collectRanges`. */
export function valuesToCalibrate(graph: Graph, options: QuantizeStaticOptions = {}): string[] {
  const names = new Set<string>();
  const layers = chosenLayers(graph, options.exclude);
  for (const layer of layers) {
    if (layer.kind === 'embedding') continue;
    names.add(layer.input.name);
    if (layer.kind === 'convolution') names.add(layer.output.name);
    else if (options.formulation === 'qdq') names.add(productOf(layer.node).name);
  }
  for (const { output } of integerRegion(graph, convolutionsOf(layers)).sums.values()) names.add(output.name);
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
  const form = weightForm(options, options.trained?.weights);
  const { exclude = [] } = options;
  const inFourBit = options.fourBit?.layers ?? [];
  const chosen = chosenLayers(graph, [...exclude, ...inFourBit]);
  const weights = new Int8Weights(graph, rewriter, form, options.formulation === 'qdq' ? [] : chosen);
  const activations = new Uint8Activations(rewriter, ranges, method, options.trained?.activations);
  const convolutions = new ConvolutionEmitter(graph, rewriter, activations, form);
  const fourBit = options.fourBit?.emitter(graph, rewriter);
  const region = integerRegion(graph, convolutionsOf(chosen));
  const quantised = rewriteLayers(graph, rewriter, options, {
    layer(layer) {
      if (fourBit && inFourBit.includes(layer.name)) return fourBit.layer(layer);
      if (layer.kind === 'embedding') weights.emitEmbedding(layer, options.tableScales ?? 'row');
      else if (layer.kind === 'convolution') convolutions.convolution(layer);
      else emitLinear[formulation](rewriter, layer, weights.linear(layer), activations);
      return true;
    },
    between: (node) => convolutions.between(node, region),
    taken: [...region.sums.values()].flatMap(({ relu }) => relu ?? []),
  });
  return withoutQuantization(removeDeadNodes(quantised));
}

function convolutionsOf(layers: readonly QuantizableLayer[]): ConvolutionLayer[] {
  return layers.filter((layer) => layer.kind === 'convolution');
}

/** What becomes of the nodes of a graph. */
export interface LayerEmitter {
  /** Emits a layer; false leaves it as it is. */
  layer(layer: QuantizableLayer): boolean;
  /** Emits a node between layers; false leaves it as it is. */
  between?(node: Node): boolean;
  /** Nodes that others take in. */
  taken?: readonly Node[];
}

/** Replaces every layer that is not excluded by what `emit` emits for it. */
export function rewriteLayers(
  graph: Graph,
  rewriter: GraphRewriter,
  options: QuantizeOptions,
  emit: LayerEmitter,
): Graph {
  const opset = graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 0;
  if (opset < 13) {
    throw new LimbeckError(
      'export.opset',
      `quantisation needs ONNX opset 13 or newer; the model has ${opset}`,
      {
        remedy: 'Export the model again with a newer opset.',
      },
    );
  }
  const layers = new Map<Node, QuantizableLayer>();
  for (const layer of chosenLayers(graph, options.exclude)) layers.set(layer.node, layer);
  const taken = new Set<Node>(emit.taken);
  return rewriter.rewrite((node) => {
    if (taken.has(node)) return true;
    const layer = layers.get(node);
    if (!layer) return emit.between?.(node) ?? false;
    if (!emit.layer(layer)) return false;
    if (layer.kind === 'linear' && layer.biasNode) taken.add(layer.biasNode);
    if (layer.kind === 'convolution' && layer.relu) taken.add(layer.relu);
    return true;
  });
}

/** The layers of a graph that int8 is made for, but for some. @throws LimbeckError `export.layer` for a name that is no layer */
export function chosenLayers(graph: Graph, exclude: readonly string[] = []): QuantizableLayer[] {
  const layers = quantizableLayers(graph);
  const unknown = exclude.filter((name) => !layers.some((layer) => layer.name === name));
  if (unknown.length > 0) {
    throw new LimbeckError('export.layer', `there is no layer called '${unknown[0]}'`, {
      where: `layers: ${layers.map((layer) => layer.name).join(', ') || 'none'}`,
      remedy: 'Exclude layers by these names.',
    });
  }
  return layers.filter((layer) => !exclude.includes(layer.name));
}

/** What the product gives before the bias is added. */
function productOf({ outputs }: Node): Value {
  return outputs[0] as Value;
}

type EmitLinear = (
  rewriter: GraphRewriter,
  layer: Pick<LinearLayer, 'node' | 'input'> & { readonly output: Target },
  weights: LinearWeights,
  activations: Uint8Activations,
) => Value;

/** Emits a product of a layer in one of the int8 formulations, and gives what it comes to, its bias included. */
export const emitLinear: Readonly<Record<Int8Formulation, EmitLinear>> = {
  'integer-to-float': (rewriter, layer, { weight, scales, bias }, activations) => {
    const x = activations.of(layer.input);
    const inputs = [x.value, weight, x.scale, scales, x.zeroPoint, null, bias];
    return rewriter.emit('MatMulIntegerToFloat', inputs, layer.output, {}, 'com.microsoft');
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
    if (!bias) return rewriter.emit('Mul', [whole, factor], layer.output);
    const scaled = { name: `${name}_scaled`, type: 'float32' as const, shape };
    return rewriter.emit('Add', [rewriter.emit('Mul', [whole, factor], scaled), bias], layer.output);
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
    const { scale, zeroPoint } = activations.parameters(productOf(layer.node).name, calibratedBias);
    const levels = rewriter.emit('QuantizeLinear', [product, scale, zeroPoint], {
      name: `${name}_uint8`,
      type: 'uint8',
      shape,
    });
    if (!bias) return rewriter.emit('DequantizeLinear', [levels, scale, zeroPoint], layer.output);
    const back = rewriter.emit('DequantizeLinear', [levels, scale, zeroPoint], {
      name: `${name}_back`,
      type: 'float32',
      shape,
    });
    return rewriter.emit('Add', [back, bias], layer.output);
  },
};
