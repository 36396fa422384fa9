import type { OperatorRule } from './operator-rule.ts';
import { CHANNELWISE, CONVOLUTION, RESIZE } from './rules/convolution.ts';
import { ALONG_AXIS, ELEMENTWISE, UNARY } from './rules/elementwise.ts';
import { CONCAT, GATHER, GATHER_ND, PAD, TRANSPOSE } from './rules/movement.ts';
import { LAYER_NORMALIZATION, NORMALIZATION } from './rules/normalization.ts';
import { SLICE, SPLIT } from './rules/parts.ts';
import { GEMM, MATMUL } from './rules/products.ts';
import { REDUCE } from './rules/reduction.ts';
import { RESHAPE } from './rules/reshape.ts';

const rules = (opTypes: string, rule: OperatorRule) =>
  opTypes.split(' ').map((opType) => [opType, rule] as const);

/** How channels pass through the operators of the standard domain; one without a rule is `FROZEN`. */
export const OPERATOR_RULES: ReadonlyMap<string, OperatorRule> = new Map([
  ...rules(
    'Add Sub Mul Div Pow Min Max Mean Sum Where Equal Less Greater LessOrEqual GreaterOrEqual And Or PRelu',
    ELEMENTWISE,
  ),
  ...rules(
    'Relu Sigmoid Tanh Identity Cast Dropout HardSwish HardSigmoid Clip Erf Exp Log Sqrt Reciprocal Neg Abs Sign Elu Selu LeakyRelu Softplus Softsign Gelu Mish Not Floor Ceil Round Celu ThresholdedRelu Swish IsNaN',
    UNARY,
  ),
  ...rules('MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool GlobalLpPool', CHANNELWISE),
  ...rules('Softmax LogSoftmax Hardmax', ALONG_AXIS),
  ...rules('Conv ConvTranspose', CONVOLUTION),
  ...rules('BatchNormalization', NORMALIZATION),
  ...rules('LayerNormalization', LAYER_NORMALIZATION),
  ...rules('MatMul', MATMUL),
  ...rules('Gemm', GEMM),
  ...rules('Transpose', TRANSPOSE),
  ...rules('Concat', CONCAT),
  ...rules('Split', SPLIT),
  ...rules('Slice', SLICE),
  ...rules('Gather', GATHER),
  ...rules('GatherND', GATHER_ND),
  ...rules(
    'ReduceMean ReduceSum ReduceMax ReduceMin ReduceSumSquare ReduceL1 ReduceL2 ReduceProd ReduceLogSumExp',
    REDUCE,
  ),
  ...rules('Pad', PAD),
  ...rules('Resize', RESIZE),
  ...rules('Reshape Flatten Squeeze Unsqueeze', RESHAPE),
]);
