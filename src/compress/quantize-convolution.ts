import type { Graph, Node, Value } from '../onnx/graph.ts';
import { elementCount, tensor } from '../onnx/tensor.ts';
import type { GraphRewriter } from './graph-rewriter.ts';
import { quantizeMatrix, roundHalfToEven } from './int8.ts';
import { type IntegerRegion, type IntegerSum, movesLevels } from './integer-region.ts';
import type { ConvolutionLayer } from './quantizable-layers.ts';
import type { Uint8Activation, Uint8Activations } from './uint8-activations.ts';
import type { WeightForm } from './weight-form.ts';

/** A bias is added to int32 sums; beyond this many levels it would leave no room for them. */
export const LARGEST_BIAS = 2 ** 30;

/**
 * Emits convolutions, and the sums and poolings between them, between DequantizeLinear and QuantizeLinear: ONNX Runtime
 * makes `QLinearConv`, `QLinearAdd` and an int8 `MaxPool` of them. Weights have a scale for each output channel, biases
 * are int32 in the scale of the sums. A Relu disappears: the levels of its output begin at zero.
 */
export class ConvolutionEmitter {
  readonly #graph: Graph;
  readonly #rewriter: GraphRewriter;
  readonly #activations: Uint8Activations;
  readonly #form: WeightForm;

  constructor(graph: Graph, rewriter: GraphRewriter, activations: Uint8Activations, form: WeightForm) {
    this.#graph = graph;
    this.#rewriter = rewriter;
    this.#activations = activations;
    this.#form = form;
  }

  convolution(layer: ConvolutionLayer): void {
    this.#requantize(this.product(layer), layer.output);
  }

  /** Emits a convolution as far as its sums, in float32. */
  product(layer: ConvolutionLayer): Value {
    const { node, output, relu } = layer;
    const x = this.#activations.of(layer.input);
    const { weight, bias } = this.#weights(layer, x.parameters.scale);
    const inputs = [this.#floats(x, layer.input), weight, ...(bias ? [bias] : [])];
    return this.#copy(node, inputs, relu ? (node.outputs[0] as Value) : output);
  }

  /** Emits a node of the region; false for a node outside it. */
  between(node: Node, region: IntegerRegion): boolean {
    const sum = region.sums.get(node);
    if (sum) this.#sum(sum);
    else if (region.passing.has(node)) this.#passing(node);
    else return false;
    return true;
  }

  #sum({ node, output }: IntegerSum): void {
    const inputs = (node.inputs as Value[]).map((value) => this.#floats(this.#activations.of(value), value));
    this.#requantize(this.#copy(node, inputs, output), output);
  }

  #passing(node: Node): void {
    const [input, ...settings] = node.inputs as [Value, ...Value[]];
    const output = node.outputs[0] as Value;
    const x = this.#activations.of(input);
    if (movesLevels(node.opType)) {
      const { name, shape } = output;
      const target = { name: `${name}_uint8`, type: 'uint8' as const, shape };
      const value =
        node.opType === 'Identity' ? x.value : this.#rewriter.copy(node, [x.value, ...settings], target);
      this.#activations.set(output, { ...x, value });
      this.#dequantize({ ...x, value }, output);
      return;
    }
    const pooled = this.#copy(node, [this.#floats(x, input)], output);
    this.#requantize(pooled, output, x);
  }

  /** The same node over other inputs, giving a new value. */
  #copy(node: Node, inputs: readonly Value[], { name, shape }: Value): Value {
    return this.#rewriter.copy(node, inputs, { name: `${name}_float`, type: 'float32', shape });
  }

  /** Gives `output` as levels to int8 nodes, and as floats to all others. */
  #requantize(value: Value, output: Value, like?: Uint8Activation): void {
    const { scale, zeroPoint, parameters } = like ?? this.#activations.parameters(output.name);
    const levels = this.#rewriter.emit('QuantizeLinear', [value, scale, zeroPoint], {
      name: `${output.name}_uint8`,
      type: 'uint8',
      shape: output.shape,
    });
    const made = { value: levels, scale, zeroPoint, parameters };
    this.#activations.set(output, made);
    this.#dequantize(made, output);
  }

  #dequantize({ value, scale, zeroPoint }: Uint8Activation, output: Value): void {
    this.#rewriter.emit('DequantizeLinear', [value, scale, zeroPoint], output);
  }

  /** A DequantizeLinear for one reader: ONNX Runtime fuses each int8 node with its own. */
  #floats({ value, scale, zeroPoint }: Uint8Activation, of: Value): Value {
    const target = { name: `${of.name}_levels`, type: 'float32' as const, shape: of.shape };
    return this.#rewriter.emit('DequantizeLinear', [value, scale, zeroPoint], target);
  }

  #weights(layer: ConvolutionLayer, inputScale: number): { weight: Value; bias: Value | undefined } {
    const rewriter = this.#rewriter;
    const { name } = layer.weight;
    const content = this.#graph.initializers.get(layer.weight);
    const [outputs = 0, ...rest] = content?.dims ?? [];
    const biases = layer.bias && (this.#graph.initializers.get(layer.bias)?.data as Float32Array);
    // A channel whose weights are next to nothing beside its bias: the bias needs a coarser scale.
    const { scales: granularity, levels, trained } = this.#form;
    const perTensor = granularity === 'tensor';
    const least = Array.from(
      { length: outputs },
      (_, channel) => Math.abs(biases?.[channel] ?? 0) / (inputScale * LARGEST_BIAS),
    );
    const { data, scales } = quantizeMatrix(
      content?.data as Float32Array,
      [outputs, elementCount(rest)],
      perTensor ? 'tensor' : 'row',
      {
        levels,
        name,
        leastScales: perTensor ? [Math.max(...least)] : least,
        fixedScales: trained?.get(name),
      },
    );
    const scaleDims = perTensor ? [] : [outputs];
    const scale = rewriter.initializer(`${name}_scale`, tensor('float32', scaleDims, scales));
    const quantised = rewriter.initializer(`${name}_int8`, tensor('int8', content?.dims ?? [], data));
    const target = { name: `${name}_levels`, type: 'float32' as const, shape: layer.weight.shape };
    const weight = rewriter.emit('DequantizeLinear', [quantised, scale], target, { axis: 0 });
    if (!biases || !layer.bias) return { weight, bias: undefined };
    const factors = scales.map((factor) => Math.fround(factor * inputScale));
    const whole = Int32Array.from(biases, (bias, channel) =>
      roundHalfToEven(Math.fround(bias / (factors[perTensor ? 0 : channel] as number))),
    );
    const bias = rewriter.emit(
      'DequantizeLinear',
      [
        rewriter.initializer(`${layer.bias.name}_int32`, tensor('int32', [outputs], whole)),
        rewriter.initializer(`${layer.bias.name}_scale`, tensor('float32', scaleDims, factors)),
      ],
      { name: `${layer.bias.name}_levels`, type: 'float32', shape: [outputs] },
      { axis: 0 },
    );
    return { weight, bias };
  }
}
