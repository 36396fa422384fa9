import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { huber } from './huber.ts';

/** What is compared, one vector a sample. */
export interface Representations {
  /** float32 [B, D] */
  student: TypedValue;
  /** float32 [B, E]: only relations are compared, so the widths may differ. */
  teacher: TypedValue;
  /** float32 [B]: 0 takes a row out of all relations. */
  rowWeights: TypedValue;
}

/** Below it two samples are at one place: the slope of a root ends there. */
const LEAST_SQUARE = 1e-12;

/**
 * For each row, the mean over the other rows that count of Huber(psi_s, psi_t), psi the distance of two samples by the
 * mean distance of all: [B].
 *
 * Park, Kim, Lu and Cho, "Relational Knowledge Distillation" (2019), equations 4-5.
 */
export function distanceRelations(
  g: GraphBuilder,
  { student, teacher, rowWeights }: Representations,
): TypedValue {
  const rows = student.shape[0] as number;
  const pairs = g.mul(outer(g, rowWeights), offDiagonal(g, rows));
  const [own, given] = [student, teacher].map((x) => {
    const far = distances(g, x);
    const mean = g.div(total(g, g.mul(far, pairs)), g.max(total(g, pairs), 1));
    return g.div(far, g.add(mean, LEAST_SQUARE));
  }) as [TypedValue, TypedValue];
  const others = g.mul(offDiagonal(g, rows), g.unsqueeze(rowWeights, [0]));
  const sums = g.reduceSum(g.mul(huber(g, g.sub(own, given)), others), { axes: [1], keepDims: false });
  return g.div(sums, g.max(g.sub(total(g, rowWeights), 1), 1));
}

/**
 * For each row j, the mean over pairs of other rows i and k of its group of Huber(cos_s, cos_t), cos that of the angle
 * i j k: [B]. Angles are B^3 many; in groups of some rows, each group on its own, they are B times the square of its size.
 *
 * Park, Kim, Lu and Cho (2019), equations 6-7.
 */
export function angleRelations(
  g: GraphBuilder,
  { student, teacher, rowWeights }: Representations,
  groupSize: number,
): TypedValue {
  const rows = student.shape[0] as number;
  const size = Math.min(groupSize, rows);
  const groups = Math.ceil(rows / size);
  const grouped = (x: TypedValue, width: number) =>
    g.reshape(rows === groups * size ? x : g.pad(x, 0, 0, groups * size - rows), [groups, size, width]);
  const [own, given] = [student, teacher].map((x) => cosines(g, grouped(x, x.shape[1] as number))) as [
    TypedValue,
    TypedValue,
  ];
  const weights = grouped(g.unsqueeze(rowWeights, [1]), 1);
  const ends = g.mul(weights, g.transpose(weights, [0, 2, 1]));
  // [1, vertex, end, end]: the three are different rows.
  const apart = offDiagonal(g, size);
  const different = g.mul(g.mul(g.unsqueeze(apart, [1]), g.unsqueeze(apart, [2])), apart);
  const counted = g.mul(g.unsqueeze(ends, [1]), different);
  const sums = g.reduceSum(g.mul(huber(g, g.sub(own, given)), counted), { axes: [2, 3], keepDims: false });
  const pairs = g.max(g.reduceSum(counted, { axes: [2, 3], keepDims: false }), 1);
  const each = g.reshape(g.div(sums, pairs), [groups * size]);
  return rows === groups * size ? each : g.slice(each, 0, 0, rows);
}

/** The distances of all pairs, [B, D] -> [B, B], from products that are made around the mean, where they are small. */
function distances(g: GraphBuilder, x: TypedValue): TypedValue {
  const centred = g.sub(x, g.reduceMean(x, { axes: [0] }));
  const squares = g.reduceSum(g.square(centred), { axes: [1] });
  const products = g.gemm(centred, centred, null, { transB: true });
  const far = g.sub(g.add(squares, g.transpose(squares, [1, 0])), g.mul(products, 2));
  return g.sqrt(g.max(far, LEAST_SQUARE));
}

/** cos of the angle at j between i and k, [G, N, D] -> [G, N (j), N (i), N (k)]. */
function cosines(g: GraphBuilder, x: TypedValue): TypedValue {
  const to = g.sub(g.unsqueeze(x, [1]), g.unsqueeze(x, [2]));
  const length = g.sqrt(g.add(g.reduceSum(g.square(to), { axes: [3] }), LEAST_SQUARE));
  const unit = g.div(to, length);
  return g.matMul(unit, g.transpose(unit, [0, 1, 3, 2]));
}

/** 1 for pairs of different rows: [N, N]. */
function offDiagonal(g: GraphBuilder, rows: number): TypedValue {
  const data = Float32Array.from({ length: rows * rows }, (_, i) => (i % (rows + 1) === 0 ? 0 : 1));
  return g.constant({ type: 'float32', dims: [rows, rows], data });
}

function outer(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.mul(g.unsqueeze(x, [1]), g.unsqueeze(x, [0]));
}

function total(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.reduceSum(x, { keepDims: false });
}
