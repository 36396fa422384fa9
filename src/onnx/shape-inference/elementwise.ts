import { dataTypeFromCode } from '../data-type.ts';
import { intAttribute } from '../graph.ts';
import { broadcastShapes, type InferenceRule, inputAt, ShapeError } from './rule.ts';

const sameAsInput: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type, shape }];
};

const broadcast: InferenceRule = (context) => {
  const inputs = context.inputs.map((_, index) => inputAt(context, index));
  for (const input of inputs) {
    if (input.type !== inputs[0].type) {
      throw new ShapeError(`${context.opType} takes one type, not ${inputs[0].type} and ${input.type}`);
    }
  }
  return [{ type: inputs[0].type, shape: broadcastShapes(...inputs.map((input) => input.shape)) }];
};

const compare: InferenceRule = (context) => [{ type: 'bool', shape: broadcast(context)[0].shape }];

const unaryTest: InferenceRule = (context) => [{ type: 'bool', shape: inputAt(context, 0).shape }];

const pow: InferenceRule = (context) => [
  {
    type: inputAt(context, 0).type,
    shape: broadcastShapes(inputAt(context, 0).shape, inputAt(context, 1).shape),
  },
];

const where: InferenceRule = (context) => {
  const [condition, a, b] = [inputAt(context, 0), inputAt(context, 1), inputAt(context, 2)];
  if (condition.type !== 'bool') throw new ShapeError(`Where needs a bool condition, not ${condition.type}`);
  if (a.type !== b.type) throw new ShapeError(`Where takes one type, not ${a.type} and ${b.type}`);
  return [{ type: a.type, shape: broadcastShapes(condition.shape, a.shape, b.shape) }];
};

const cast: InferenceRule = (context) => {
  const type = dataTypeFromCode(intAttribute(context, 'to', 0));
  if (!type) throw new ShapeError(`Cast to an unknown type number ${intAttribute(context, 'to', 0)}`);
  return [{ type, shape: inputAt(context, 0).shape }];
};

/** Random numbers in the shape of the input, of another type where `dtype` says so. */
const randomLike: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type: dataTypeFromCode(intAttribute(context, 'dtype', 0)) ?? type, shape }];
};

const dropout: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [
    { type, shape },
    { type: 'bool' as const, shape },
  ].slice(0, context.outputCount);
};

const UNARY =
  'Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity ' +
  'LeakyRelu Log Mish Neg Not Shrink Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ' +
  'ThresholdedRelu Trilu CumSum BitwiseNot PRelu Softmax LogSoftmax Hardmax LpNormalization';

export const ELEMENTWISE_RULES: Record<string, InferenceRule> = {
  ...Object.fromEntries(UNARY.split(' ').map((opType) => [opType, sameAsInput])),
  ...Object.fromEntries(
    'Add Sub Mul Div Min Max Mean Sum Mod And Or Xor BitwiseAnd BitwiseOr BitwiseXor BitShift'
      .split(' ')
      .map((opType) => [opType, broadcast]),
  ),
  ...Object.fromEntries(
    'Equal Less LessOrEqual Greater GreaterOrEqual'.split(' ').map((opType) => [opType, compare]),
  ),
  IsNaN: unaryTest,
  IsInf: unaryTest,
  Pow: pow,
  Where: where,
  Cast: cast,
  Dropout: dropout,
  Bernoulli: randomLike,
  RandomNormalLike: randomLike,
  RandomUniformLike: randomLike,
  'com.microsoft::FastGelu': sameAsInput,
  'com.microsoft::Gelu': sameAsInput,
  'com.microsoft::QuickGelu': sameAsInput,
  'com.microsoft::BiasGelu': sameAsInput,
};
