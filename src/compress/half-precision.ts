import { LimbeckError } from '../errors.ts';
import { DATA_TYPE_CODES } from '../onnx/data-type.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';
import { toFloat16 } from '../onnx/half-float.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { usedValues } from '../onnx/used-values.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { withoutQuantization } from './kept-quantization.ts';
import { quantizableLayers } from './quantizable-layers.ts';

export interface HalfPrecisionOptions {
  /** The largest size of each value over some samples, by its name (`largestValues`). */
  readonly largest: ReadonlyMap<string, number>;
  /** Names of layers (see `quantizableLayers`) that stay in float32. */
  readonly exclude?: readonly string[];
}

/** The largest number of float16. */
export const LARGEST_HALF = 65504;
/** Values that come nearer to it than this part of it stay in float32: other samples may reach further. */
const HEADROOM = 1 / 4;

/**
 * Operators that compute in float16. All others stay in float32: what adds up many numbers or their squares (means, variances,
 * normalisations), and what is steep (exponentials, softmax, logarithms, powers, roots, divisions).
 */
const HALF_OPERATORS: ReadonlySet<string> = new Set([
  ...[
    'MatMul',
    'Gemm',
    'FusedMatMul',
    'Conv',
    'ConvTranspose',
    'MaxPool',
    'AveragePool',
    'GlobalAveragePool',
  ],
  ...['Add', 'Sub', 'Mul', 'Neg', 'Abs', 'Min', 'Max', 'Clip', 'Where', 'Pad', 'Identity', 'Dropout'],
  ...['Relu', 'LeakyRelu', 'PRelu', 'Sigmoid', 'Tanh', 'Gelu', 'Erf', 'HardSigmoid', 'HardSwish'],
  ...[
    'Gather',
    'Reshape',
    'Transpose',
    'Concat',
    'Split',
    'Slice',
    'Squeeze',
    'Unsqueeze',
    'Expand',
    'Flatten',
    'Tile',
  ],
]);
/** These compute nothing: they are in float16 where what they read is. */
const MOVING: ReadonlySet<string> = new Set([
  ...[
    'Identity',
    'Reshape',
    'Transpose',
    'Split',
    'Slice',
    'Squeeze',
    'Unsqueeze',
    'Expand',
    'Flatten',
    'Tile',
  ],
]);

/**
 * The graph in float16: weights and arithmetic, as far as values stay in its range. Inputs and outputs keep their types and
 * names. ONNX Runtime computes in float16 on WebGPU; on processors it converts around each operator (docs/compress.md).
 *
 * @throws LimbeckError `export.weights` for a layer's weights beyond 65504, with its name; `export.layer` for an excluded name
 *   that is no layer
 */
export function toHalfPrecision(graph: Graph, options: HalfPrecisionOptions): Graph {
  const rewriter = new GraphRewriter(graph);
  const halves = new Halves(graph, rewriter);
  const kept = float32Nodes(graph, options);
  const outputs = new Set(graph.outputs);
  const rewritten = rewriter.rewrite((node) => {
    const isHalf = !kept.has(node) && (!MOVING.has(node.opType) || halves.has(node.inputs[0]));
    if (!isHalf) {
      for (const value of usedValues(node)) halves.full(value);
      return false;
    }
    const inputs = node.inputs.map((value) => value && halves.half(value));
    const made = rewriter.copyAll(
      node,
      inputs,
      node.outputs.map(
        (value) =>
          value &&
          (value.type === 'float32' ? { ...value, name: `${value.name}_half`, type: 'float16' } : value),
      ),
    );
    node.outputs.forEach((value, i) => {
      if (value?.type !== 'float32') return;
      halves.set(value, made[i] as Value);
      if (outputs.has(value)) halves.full(value);
    });
    return true;
  });
  return withoutQuantization(removeDeadNodes(rewritten));
}

/** Nodes that stay in float32. */
function float32Nodes(graph: Graph, { largest, exclude = [] }: HalfPrecisionOptions): ReadonlySet<Node> {
  const layers = quantizableLayers(graph);
  const unknown = exclude.find((name) => !layers.some((layer) => layer.name === name));
  if (unknown !== undefined) {
    throw new LimbeckError('export.layer', `there is no layer called '${unknown}'`, {
      where: `layers: ${layers.map(({ name }) => name).join(', ') || 'none'}`,
      remedy: 'Exclude layers by these names.',
    });
  }
  const kept = new Set<Node>();
  for (const layer of layers) {
    if (exclude.includes(layer.name)) {
      kept.add(layer.node);
      if (layer.kind === 'linear' && layer.biasNode) kept.add(layer.biasNode);
    } else requireHalf(layer.name, graph.initializers.get(layer.weight) as Tensor);
  }
  const isFar = (value: Value | null) => {
    if (value?.type !== 'float32') return false;
    const content = graph.initializers.get(value);
    if (content) return (content.data as Float32Array).some((one) => !(Math.abs(one) <= LARGEST_HALF));
    // What was not seen is not known to fit.
    return !((largest.get(value.name) ?? Number.POSITIVE_INFINITY) <= HEADROOM * LARGEST_HALF);
  };
  for (const node of graph.nodes) {
    const isKnown = node.domain === '' || node.domain === 'ai.onnx' || node.opType === 'FusedMatMul';
    const isFloat = node.outputs.some((value) => value?.type === 'float32');
    const fits = isKnown && isFloat && HALF_OPERATORS.has(node.opType);
    if (!fits || [...node.inputs, ...node.outputs].some(isFar)) kept.add(node);
  }
  return kept;
}

/** Throws for weights that float16 cannot hold. */
function requireHalf(layer: string, { data }: Tensor): void {
  const at = (data as Float32Array).findIndex((value) => !(Math.abs(value) <= LARGEST_HALF));
  if (at < 0) return;
  throw new LimbeckError(
    'export.weights',
    `'${layer}' holds ${(data as Float32Array)[at]}, and float16 ends at ${LARGEST_HALF}`,
    {
      where: `'${layer}', weight ${at}`,
      remedy: 'Train with a lower maxGradNorm or more weight decay, or leave `export.fp16` out.',
    },
  );
}

/** The values of a graph in float16 beside those in float32, each made where it is first asked for. */
class Halves {
  readonly #graph: Graph;
  readonly #rewriter: GraphRewriter;
  readonly #half = new Map<Value, Value>();
  /** Of what nodes gave in float16: whether it is there in float32 as well. */
  readonly #full = new Map<Value, boolean>();

  constructor(graph: Graph, rewriter: GraphRewriter) {
    this.#graph = graph;
    this.#rewriter = rewriter;
  }

  /** Whether a value was given in float16. */
  has(value: Value | null | undefined): boolean {
    return value ? this.#full.has(value) : false;
  }

  /** Tells that a node gave `half` for a value of the old graph. */
  set(value: Value, half: Value): void {
    this.#half.set(value, half);
    this.#full.set(value, false);
  }

  half(value: Value): Value {
    if (value.type !== 'float32') return value;
    let made = this.#half.get(value);
    if (!made) {
      const content = this.#graph.initializers.get(value);
      const name = `${value.name}_half`;
      made = content
        ? this.#rewriter.initializer(name, halfTensor(content))
        : this.#cast(value, { name, type: 'float16', shape: value.shape });
      this.#half.set(value, made);
    }
    return made;
  }

  /** Makes sure that a value is there under its own name, in float32. */
  full(value: Value): void {
    if (this.#full.get(value) !== false) return;
    this.#full.set(value, true);
    this.#cast(this.#half.get(value) as Value, value);
  }

  #cast(value: Value, target: Value): Value {
    const to = DATA_TYPE_CODES[target.type as 'float16' | 'float32'];
    return this.#rewriter.emit('Cast', [value], target as Parameters<GraphRewriter['emit']>[2], { to });
  }
}

function halfTensor({ data, dims }: Tensor): Tensor {
  return { type: 'float16', dims, data: Uint16Array.from(data as Float32Array, toFloat16) };
}
