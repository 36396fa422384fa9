import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { ObjectiveInputs } from './objective.ts';

/** Added to squared lengths before they divide. */
const EPSILON = 1e-6;

export interface AlignmentInputs {
  /** float32 [B, P, widthS]: a vector for each token or place. */
  student: TypedValue;
  /** float32 [B, P, widthT]; no gradient flows to it. */
  teacher: TypedValue;
  /** float32 [widthS, widthT]: leads from the student's width to the teacher's; absent where they are one. */
  projection?: TypedValue | undefined;
}

interface Products {
  /** The inner product of the (projected) student's vector with the teacher's, [B, P]. */
  readonly inner: TypedValue;
  /** The squared length of the (projected) student's vector, [B, P]. */
  readonly square: TypedValue;
}

/**
 * <h W, t> and |h W|^2 for student vectors h and teacher vectors t. Where W widens, the wide vectors are never made:
 * <h W, t> = <h, t W^T> and |h W|^2 = h (W W^T) h^T, so that everything that a gradient flows through has the student's
 * width.
 */
function products(g: GraphBuilder, { student, teacher, projection }: AlignmentInputs): Products {
  const dot = (a: TypedValue, b: TypedValue) => g.reduceSum(g.mul(a, b), { axes: [-1], keepDims: false });
  if (projection && (student.shape[2] as number) < (teacher.shape[2] as number)) {
    const transposed = g.transpose(projection, [1, 0]);
    return {
      inner: dot(student, g.matMul(teacher, transposed)),
      square: dot(student, g.matMul(student, g.matMul(projection, transposed))),
    };
  }
  const own = projection ? g.matMul(student, projection) : student;
  return {
    inner: dot(own, teacher),
    square: g.reduceSumSquare(own, { axes: [-1], keepDims: false }),
  };
}

/** The mean over the teacher's width of (h W - t)^2: [B, P]. */
export function squaredDistance(g: GraphBuilder, inputs: AlignmentInputs): TypedValue {
  const { inner, square } = products(g, inputs);
  const constant = g.reduceSumSquare(inputs.teacher, { axes: [-1], keepDims: false });
  return g.mul(g.add(g.sub(square, g.mul(inner, 2)), constant), 1 / widthOf(inputs.teacher));
}

/** 1 - cos(h W, t), for t whose mean square is 1: [B, P]. */
export function cosineDistance(g: GraphBuilder, inputs: AlignmentInputs): TypedValue {
  const { inner, square } = products(g, inputs);
  const width = widthOf(inputs.teacher);
  const length = g.sqrt(g.mul(g.add(square, EPSILON), width));
  return g.sub(1, g.div(inner, length));
}

/**
 * The mean squared difference of both sides' layer-normalised vectors, for t that is so already (mean 0, mean square 1):
 * [B, P]. It is twice the cosine distance of the centred vectors; for h W to be centred, the rows of W are.
 */
export function normalizedDistance(
  g: GraphBuilder,
  { student, teacher, projection }: AlignmentInputs,
): TypedValue {
  const centred = (x: TypedValue) => g.sub(x, g.reduceMean(x, { axes: [-1] }));
  const inputs = projection
    ? { student, teacher, projection: centred(projection) }
    : { student: centred(student), teacher };
  return g.mul(cosineDistance(g, inputs), 2);
}

/** Vectors [..., width] with a mean square of 1, and a mean of 0 where they are `centred`: no more than a direction. */
export function unitScale(g: GraphBuilder, x: TypedValue, centred: boolean): TypedValue {
  const from = centred ? g.sub(x, g.reduceMean(x, { axes: [-1] })) : x;
  const meanSquare = g.reduceMean(g.square(from), { axes: [-1] });
  return g.div(from, g.sqrt(g.add(meanSquare, EPSILON)));
}

/**
 * The learned map from the width of a value of the student to that of one of the teacher, [student, teacher], which keeps
 * the size of vectors at first; undefined where the widths are one.
 */
export function learnedProjection(
  inputs: ObjectiveInputs,
  name: string,
  [from, to]: readonly [number, number],
): TypedValue | undefined {
  if (from === to) return undefined;
  const scale = 1 / Math.sqrt(from);
  return inputs.parameter(`projection/${name}`, [from, to], (random) =>
    Float32Array.from({ length: from * to }, () => scale * random.normal()),
  );
}

function widthOf({ shape }: TypedValue): number {
  return shape[2] as number;
}
