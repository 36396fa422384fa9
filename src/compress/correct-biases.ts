import type { Engine } from '../engine/engine.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { usedValues } from '../onnx/used-values.ts';
import { type CalibrateOptions, type Feeds, observeValues, type ValueObserver } from './calibrate.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { Int8Weights } from './int8-weights.ts';
import type { ConvolutionLayer, LinearLayer } from './quantizable-layers.ts';
import { ConvolutionEmitter } from './quantize-convolution.ts';
import { chosenLayers, emitLinear, type QuantizeStaticOptions } from './quantize-static.ts';
import type { Ranges } from './range.ts';
import { Uint8Activations } from './uint8-activations.ts';
import { weightForm } from './weight-form.ts';

/** By layer: what int8 adds to each of its output channels on average, float32 [channels]. */
export type ShiftsOfInt8 = ReadonlyMap<string, Float32Array>;

type BiasedLayer = (LinearLayer | ConvolutionLayer) & { readonly bias: Value };

/**
 * How far int8 shifts the mean of each channel that a layer gives, before its Relu: the rounding of weights does not average out over inputs
 * whose mean is not 0. Every layer is measured on its own, over what it reads in the float32 network, so that the shifts hold whichever
 * other layers are quantised. Layers without a constant bias are left out.
 *
 * Nagel, van Baalen, Blankevoort and Welling, "Data-Free Quantization Through Weight Equalization and Bias Correction" (arXiv
 * 1906.04721), section 4.2, equation 14; the expectation is taken over samples, as in its appendix D.
 *
 * @param ranges those that `quantizeStatic` gets
 * @throws LimbeckError `export.calibration` when there is no batch, or a value has no range
 */
export async function shiftsOfInt8(
  graph: Graph,
  ranges: Ranges,
  engine: Pick<Engine, 'load'>,
  batches: Iterable<Feeds> | AsyncIterable<Feeds>,
  options: QuantizeStaticOptions & CalibrateOptions = {},
): Promise<ShiftsOfInt8> {
  const { compared, errors } = besideInt8(graph, ranges, options);
  const means = new Map(errors.map(({ value, layer }) => [value, new ChannelMeans(layer)]));
  await observeValues(compared, means, engine, batches, options);
  return new Map(errors.map(({ value, layer }) => [layer.name, (means.get(value) as ChannelMeans).values()]));
}

/** The graph with the shifts taken from the biases of its layers, but for some that stay in float32. Shared biases become own ones. */
export function withCorrectedBiases(
  graph: Graph,
  shifts: ShiftsOfInt8,
  exclude: readonly string[] = [],
): Graph {
  const layers = biasedLayers(graph, exclude).filter(({ name }) => shifts.has(name));
  if (layers.length === 0) return graph;
  const readers = new Map<Value, number>();
  for (const node of graph.nodes)
    for (const value of usedValues(node)) readers.set(value, (readers.get(value) ?? 0) + 1);
  const initializers = new Map(graph.initializers);
  const replaced = new Map<object, Map<Value, Value>>();
  for (const layer of layers) {
    const { bias, kind } = layer;
    const { dims, data } = graph.initializers.get(bias) as Tensor;
    const factor = kind === 'linear' ? layer.beta : 1;
    const shift = shifts.get(layer.name) as Float32Array;
    const corrected = (data as Float32Array).map((value, i) => value - (shift[i] as number) / factor);
    const isOwn = readers.get(bias) === 1;
    const value = isOwn ? bias : { ...bias, name: `${bias.name}/of/${layer.name}` };
    initializers.set(value, float32(corrected, dims));
    const reader = kind === 'linear' ? (layer.biasNode ?? layer.node) : layer.node;
    if (!isOwn) replaced.set(reader, new Map([[bias, value]]));
  }
  const nodes = graph.nodes.map((node) => {
    const values = replaced.get(node);
    if (!values) return node;
    return { ...node, inputs: node.inputs.map((value) => (value && values.get(value)) || value) };
  });
  return { ...graph, nodes, initializers };
}

function biasedLayers(graph: Graph, exclude: readonly string[] = []): BiasedLayer[] {
  return chosenLayers(graph, exclude).filter((layer): layer is BiasedLayer => {
    if (layer.kind === 'embedding' || !layer.bias) return false;
    return graph.initializers.has(layer.bias) && (layer.kind === 'convolution' || layer.beta !== 0);
  });
}

interface LayerError {
  /** The value that is int8's answer less float32's. */
  readonly value: string;
  readonly layer: BiasedLayer;
}

/** The float32 graph with each of its layers once more in int8, over the same inputs. */
function besideInt8(
  graph: Graph,
  ranges: Ranges,
  options: QuantizeStaticOptions,
): { readonly compared: Graph; readonly errors: readonly LayerError[] } {
  const rewriter = new GraphRewriter(graph);
  const form = weightForm(options);
  const layers = biasedLayers(graph, options.exclude);
  const weights = new Int8Weights(graph, rewriter, form, chosenLayers(graph, options.exclude));
  const activations = new Uint8Activations(rewriter, ranges, options.range ?? { kind: 'min-max' });
  const convolutions = new ConvolutionEmitter(graph, rewriter, activations, form);
  const byEnd = new Map(layers.map((layer) => [endOf(layer), layer]));
  const errors: LayerError[] = [];
  const compared = rewriter.rewrite((node) => {
    const layer = byEnd.get(node);
    if (!layer) return false;
    rewriter.keep(node, node.inputs);
    const [exact] = node.outputs as [Value];
    const target = { name: `${exact.name}/int8`, type: 'float32' as const, shape: exact.shape };
    const int8 =
      layer.kind === 'convolution'
        ? convolutions.product(layer)
        : emitLinear['integer-to-float'](
            rewriter,
            { node: layer.node, input: layer.input, output: target },
            weights.linear(layer),
            activations,
          );
    const error = { ...target, name: `${exact.name}/int8_error` };
    errors.push({ value: rewriter.emit('Sub', [int8, exact], error).name, layer });
    return true;
  });
  return { compared, errors };
}

/** The node that gives what a layer comes to, before a Relu. */
function endOf(layer: BiasedLayer) {
  return layer.kind === 'linear' ? (layer.biasNode ?? layer.node) : layer.node;
}

/** The mean of each channel over all that was seen. */
class ChannelMeans implements ValueObserver {
  readonly #axis: 'second' | 'last';
  #sums = new Float64Array(0);
  #count = 0;

  constructor({ kind }: BiasedLayer) {
    this.#axis = kind === 'convolution' ? 'second' : 'last';
  }

  add({ data, dims }: Tensor, spans: Iterable<readonly [number, number]>): void {
    const axis = this.#axis === 'second' ? 1 : dims.length - 1;
    const channels = dims[axis] as number;
    const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    if (this.#sums.length === 0) this.#sums = new Float64Array(channels);
    // A mask of tokens says nothing of a convolution's places.
    for (const [from, to] of axis === 1 && inner > 1 ? [[0, data.length] as const] : spans) {
      for (let i = from; i < to; i += inner) {
        const channel = (i / inner) % channels;
        let sum = 0;
        for (let j = i; j < i + inner; j++) sum += data[j] as number;
        this.#sums[channel] = (this.#sums[channel] as number) + sum;
      }
      this.#count += (to - from) / channels;
    }
  }

  values(): Float32Array {
    return Float32Array.from(this.#sums, (sum) => sum / Math.max(1, this.#count));
  }
}
