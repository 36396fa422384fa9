import { float } from '../attributes.ts';
import { floatAttribute, intAttribute, type TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { type CompositeCall, type Decomposition, hasOutput, inputOf } from './decomposition.ts';

interface Normalized {
  readonly y: TypedValue;
  readonly mean: TypedValue | null;
  /** 1 / the standard deviation (or the root mean square). */
  readonly inverse: TypedValue;
}

/** x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich 2019), over the axes from `axis` on. */
function rms(
  g: GraphBuilder,
  input: TypedValue,
  gain: TypedValue,
  epsilon: number,
  axis: number,
): Normalized {
  // Squares of float16 do not fit into it: as ONNX Runtime (and `stash_type`) has it, in float32.
  const wide = (value: TypedValue) =>
    value.type === 'float16' || value.type === 'bfloat16' ? g.cast(value, 'float32') : value;
  const [x, scale] = [wide(input), wide(gain)];
  const first = axis < 0 ? axis + x.shape.length : axis;
  const axes = x.shape.flatMap((_, i) => (i >= first ? [i] : []));
  const inverse = g.reciprocal(g.sqrt(g.add(g.reduceMean(g.mul(x, x), { axes }), epsilon)));
  const y = g.mul(g.mul(x, inverse), scale);
  return { y: y.type === input.type ? y : g.cast(y, input.type), mean: null, inverse };
}

function layer(
  g: GraphBuilder,
  x: TypedValue,
  scale: TypedValue,
  bias: TypedValue | null,
  epsilon: number,
): Normalized {
  const attributes = { axis: -1, epsilon: float(epsilon) };
  const [y, mean, inverse] = g.node('LayerNormalization', [x, scale, bias], attributes, { outputs: 3 });
  return { y: y!, mean: mean!, inverse: inverse! };
}

/** SimplifiedLayerNormalization of ONNX Runtime and RMSNormalization of opset 23. */
const rmsNormalization: Decomposition = (call) => {
  const { g, node } = call;
  const epsilon = floatAttribute(node, 'epsilon', 1e-5);
  const axis = intAttribute(node, 'axis', -1);
  const { y, inverse } = rms(g, inputOf(call, 0), inputOf(call, 1), epsilon, axis);
  return [y, inverse];
};

/** The sum of the residual branch, its skip and the bias, which is also the last output. */
function residual(call: CompositeCall, bias: number): TypedValue {
  const sum = call.g.add(inputOf(call, 0), inputOf(call, 1));
  const offset = call.inputs[bias];
  return offset ? call.g.add(sum, offset) : sum;
}

const skipLayerNormalization: Decomposition = (call) => {
  const sum = residual(call, 4);
  const epsilon = floatAttribute(call.node, 'epsilon', 1e-12);
  const { y, mean, inverse } = layer(call.g, sum, inputOf(call, 2), call.inputs[3] ?? null, epsilon);
  return [y, mean, inverse, sum];
};

const skipRmsNormalization: Decomposition = (call) => {
  const sum = residual(call, 3);
  const epsilon = floatAttribute(call.node, 'epsilon', 1e-12);
  const { y, inverse } = rms(call.g, sum, inputOf(call, 2), epsilon, -1);
  return [y, null, inverse, sum];
};

/** The embeddings of words, positions and segments, added and normalized: the first layer of BERT. */
const embedLayerNormalization: Decomposition = (call) => {
  const { g, node } = call;
  const [ids, segments, words, positions] = [
    inputOf(call, 0),
    call.inputs[1],
    inputOf(call, 2),
    inputOf(call, 3),
  ];
  const [segmentTable, mask, positionIds] = [call.inputs[4], call.inputs[7], call.inputs[8]];
  const places = () => {
    const length = g.op('Shape', [ids], { start: 1, end: 2 });
    return g.op('Slice', [positions, g.ints([0]), length, g.ints([0])]);
  };
  let sum = g.add(g.gather(words, ids), positionIds ? g.gather(positions, positionIds) : places());
  if (segments && segmentTable) sum = g.add(sum, g.gather(segmentTable, segments));
  const epsilon = floatAttribute(node, 'epsilon', 1e-12);
  const { y } = layer(g, sum, inputOf(call, 5), inputOf(call, 6), epsilon);
  // The lengths of the texts: what a mask of ones at the front sums to.
  const lengths = () =>
    g.cast(g.reduceSum(mask ?? g.mul(ids, g.scalar(0, ids.type)), { axes: [1], keepDims: false }), 'int32');
  return [y, hasOutput(call, 1) ? lengths() : null, sum];
};

export const NORMALIZATION: Record<string, Decomposition> = {
  RMSNormalization: rmsNormalization,
  SimplifiedLayerNormalization: rmsNormalization,
  'com.microsoft::SimplifiedLayerNormalization': rmsNormalization,
  'com.microsoft::SkipLayerNormalization': skipLayerNormalization,
  'com.microsoft::SkipSimplifiedLayerNormalization': skipRmsNormalization,
  'com.microsoft::EmbedLayerNormalization': embedLayerNormalization,
};
