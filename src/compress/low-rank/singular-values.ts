/** A matrix as a sum of outer products: `left` [rows, rank] times `values` [rank] times `right` [rank, columns]. */
export interface SingularValues {
  readonly left: Float64Array;
  /** Falling. */
  readonly values: Float64Array;
  readonly right: Float64Array;
}

/** A pair of columns whose cosine is smaller is orthogonal. */
const ORTHOGONAL = 1e-10;
const SWEEPS = 60;

/**
 * The singular value decomposition of a matrix [rows, columns], row by row, of rank min(rows, columns).
 *
 * One-sided Jacobi rotations (Hestenes, 1958; Demmel and Veselic, "Jacobi's method is more accurate than QR", 1992): pairs
 * of columns are turned until all are orthogonal. Exact to rounding, and quick enough for the weights of small networks.
 */
export function singularValues(matrix: ArrayLike<number>, rows: number, columns: number): SingularValues {
  if (columns > rows) {
    const { left, values, right } = singularValues(transposed(matrix, rows, columns), columns, rows);
    return {
      left: transposed(right, rows, rows),
      values,
      right: transposed(left, columns, rows),
    };
  }
  // Columns lie beside each other in memory: column c of the matrix is work[c * rows ...].
  const work = transposed(matrix, rows, columns);
  const turned = new Float64Array(columns * columns);
  for (let c = 0; c < columns; c++) turned[c * columns + c] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let rotated = false;
    for (let p = 0; p < columns - 1; p++)
      for (let q = p + 1; q < columns; q++)
        if (orthogonalize(work, turned, p, q, rows, columns)) rotated = true;
    if (!rotated) break;
  }
  const norms = Float64Array.from({ length: columns }, (_, c) =>
    Math.hypot(...work.subarray(c * rows, (c + 1) * rows)),
  );
  const order = Array.from(norms.keys()).sort((a, b) => norms[b] - norms[a]);
  const left = new Float64Array(rows * columns);
  const right = new Float64Array(columns * columns);
  order.forEach((column, place) => {
    const norm = norms[column] || 1;
    for (let r = 0; r < rows; r++) left[r * columns + place] = work[column * rows + r] / norm;
    for (let c = 0; c < columns; c++) right[place * columns + c] = turned[column * columns + c];
  });
  return { left, values: Float64Array.from(order, (column) => norms[column]), right };
}

/** Turns columns p and q so that they are orthogonal; false where they were. */
function orthogonalize(
  work: Float64Array,
  turned: Float64Array,
  p: number,
  q: number,
  rows: number,
  columns: number,
): boolean {
  let [pp, qq, pq] = [0, 0, 0];
  for (let r = 0; r < rows; r++) {
    const [a, b] = [work[p * rows + r], work[q * rows + r]];
    pp += a * a;
    qq += b * b;
    pq += a * b;
  }
  if (Math.abs(pq) <= ORTHOGONAL * Math.sqrt(pp * qq)) return false;
  const zeta = (qq - pp) / (2 * pq);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  rotate(work, p, q, rows, cosine, cosine * tangent);
  rotate(turned, p, q, columns, cosine, cosine * tangent);
  return true;
}

function rotate(
  data: Float64Array,
  p: number,
  q: number,
  length: number,
  cosine: number,
  sine: number,
): void {
  for (let i = 0; i < length; i++) {
    const [a, b] = [data[p * length + i], data[q * length + i]];
    data[p * length + i] = cosine * a - sine * b;
    data[q * length + i] = sine * a + cosine * b;
  }
}

function transposed(matrix: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) result[c * rows + r] = matrix[r * columns + c];
  return result;
}
