import { type Dim, intAttribute, intsAttribute, type Shape } from '../graph.ts';
import { CONVOLUTION_RULES } from './convolution.ts';
import { MATRIX_RULES } from './matrix.ts';
import {
  broadcastShapes,
  type Fact,
  type InferenceContext,
  type InferenceRule,
  inputAt,
  ShapeError,
} from './rule.ts';

/** Operators that ONNX Runtime's optimizer and quantizer put in the place of several: what comes out of them. */

const likeFirst: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type, shape }];
};

/** The normalised sum; mean and inverse deviation; the sum. */
const skipNormalization: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const statistic: Fact = { type: 'float32', shape: [...shape.slice(0, -1), 1] };
  return [{ type, shape }, statistic, statistic, { type, shape }].slice(0, Math.max(1, context.outputCount));
};

/** `table` is the input with the embeddings of words, `type` what they are read as. */
const embedding =
  (table: number, typeOf: (context: InferenceContext) => Fact['type']): InferenceRule =>
  (context) => {
    const ids = inputAt(context, 0).shape;
    const width = inputAt(context, table).shape.at(-1) as Dim;
    const hidden: Fact = { type: typeOf(context), shape: [...ids, width] };
    const ends: Fact = { type: 'int32', shape: [ids[0] as Dim] };
    return [hidden, ends, hidden].slice(0, Math.max(1, context.outputCount));
  };

/** Attention over one matrix for queries, keys and values, [input, 3 width]. */
const mergedAttention =
  (typeOf: (context: InferenceContext) => Fact['type']): InferenceRule =>
  (context) => {
    if (context.outputCount > 1) throw new ShapeError(`${context.opType} with keys and values of before`);
    const [batch, sequence] = inputAt(context, 0).shape as [Dim, Dim];
    const all = inputAt(context, 1).shape.at(-1);
    const sizes = intsAttribute(context, 'qkv_hidden_sizes');
    const width = sizes?.at(2) ?? (typeof all === 'number' ? all / 3 : undefined);
    if (width === undefined) throw new ShapeError(`${context.opType} with weights of unknown width`);
    return [{ type: typeOf(context), shape: [batch, sequence, width] }];
  };

const multiHeadAttention: InferenceRule = (context) => {
  const query = inputAt(context, 0);
  const value = context.inputs[2];
  if (context.outputCount > 1 || query.shape.length !== 3 || (value && value.shape.length !== 3))
    throw new ShapeError(`${context.opType} with packed heads, or keys and values of before`);
  const [batch, sequence, width] = query.shape as [Dim, Dim, Dim];
  return [{ type: query.type, shape: [batch, sequence, value?.shape[2] ?? width] }];
};

/** A rule for other inputs of the same call. */
const withInputs =
  (
    rule: InferenceRule,
    places: readonly number[],
    type?: (context: InferenceContext) => Fact['type'],
  ): InferenceRule =>
  (context) => {
    const inputs = places.map((place) => context.inputs[place] ?? null);
    const moved: InferenceContext = {
      ...context,
      inputs,
      constant: (index) => context.constant(places[index] as number),
      sizes: (index) => context.sizes(places[index] as number),
    };
    return rule(moved).map((fact) => ({ ...fact, type: type?.(context) ?? fact.type }));
  };

const typeOfInput = (index: number) => (context: InferenceContext) => inputAt(context, index).type;
/** Of a result on a grid: its zero point's, or that of what went in. */
const typeOnGrid = (zero: number) => (context: InferenceContext) =>
  context.inputs[zero]?.type ?? inputAt(context, 0).type;

const linearBinary: InferenceRule = (context) => [
  {
    type: typeOnGrid(7)(context),
    shape: broadcastShapes(inputAt(context, 0).shape, inputAt(context, 3).shape),
  },
];

const linearPool: InferenceRule = (context) => {
  const { shape } = inputAt(context, 0);
  const last = intAttribute(context, 'channels_last', 0) === 1;
  const pooled: Shape = shape.map((size, axis) =>
    axis === 0 || axis === (last ? shape.length - 1 : 1) ? size : 1,
  );
  return [{ type: typeOnGrid(4)(context), shape: pooled }];
};

const blockwiseProduct: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type, shape: [...shape.slice(0, -1), intAttribute(context, 'N', 0)] }];
};

/** Rows of a table in blocks; two numbers of 4 bits share a byte. */
const blockwiseGather: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const axis = intAttribute(context, 'gather_axis', 0);
  const inByte = type === 'uint8' ? 8 / intAttribute(context, 'bits', 4) : 1;
  const full = shape.map((size, i) =>
    i === shape.length - 1 && typeof size === 'number' ? size * inByte : size,
  );
  const indices = inputAt(context, 1).shape;
  return [
    { type: inputAt(context, 2).type, shape: [...full.slice(0, axis), ...indices, ...full.slice(axis + 1)] },
  ];
};

const [gemm, conv] = [MATRIX_RULES.Gemm, CONVOLUTION_RULES.Conv] as [InferenceRule, InferenceRule];

export const FUSED_RULES: Record<string, InferenceRule> = {
  RMSNormalization: likeFirst,
  SimplifiedLayerNormalization: likeFirst,
  'com.microsoft::SimplifiedLayerNormalization': likeFirst,
  'com.microsoft::SkipLayerNormalization': skipNormalization,
  'com.microsoft::SkipSimplifiedLayerNormalization': skipNormalization,
  'com.microsoft::EmbedLayerNormalization': embedding(2, typeOfInput(2)),
  'com.microsoft::QEmbedLayerNormalization': embedding(2, typeOfInput(8)),
  'com.microsoft::Attention': mergedAttention(typeOfInput(0)),
  'com.microsoft::QAttention': mergedAttention(typeOfInput(3)),
  'com.microsoft::MultiHeadAttention': multiHeadAttention,
  'com.microsoft::FusedGemm': gemm,
  'com.microsoft::QGemm': withInputs(gemm, [0, 3], (context) => context.inputs[8]?.type ?? 'float32'),
  'com.microsoft::MatMulNBits': blockwiseProduct,
  'com.microsoft::GatherBlockQuantized': blockwiseGather,
  QLinearConv: withInputs(conv, [0, 3], typeOnGrid(7)),
  ConvInteger: withInputs(conv, [0, 1], () => 'int32'),
  'com.microsoft::QLinearAdd': linearBinary,
  'com.microsoft::QLinearMul': linearBinary,
  'com.microsoft::QLinearSigmoid': likeFirst,
  'com.microsoft::QLinearSoftmax': likeFirst,
  'com.microsoft::QLinearLeakyRelu': likeFirst,
  'com.microsoft::QLinearGlobalAveragePool': linearPool,
};
