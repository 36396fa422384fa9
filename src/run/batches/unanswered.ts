import type { Batch } from '../../data/batch.ts';
import { copyRow, emptyLike } from '../../data/batches/batch-rows.ts';
import { ROW_WEIGHTS } from '../../data/columns.ts';
import { type Tensor, tensor } from '../../onnx/tensor.ts';

/**
 * Answers that are none. A teacher behind an API may refuse, be cut off, or answer something else; such an answer is kept as
 * numbers that are none (NaN), so that it is not paid again, and its sample counts nothing.
 */

/** Which rows of kept answers are none, [rows, ...]; undefined where all are some. */
export function unansweredRows({ data, dims }: Tensor, filled: number): Uint8Array | undefined {
  const values = data as Float32Array;
  const width = values.length / (dims[0] as number);
  let none: Uint8Array | undefined;
  for (let row = 0; row < filled; row++) {
    if (!hasNone(values, row * width, width)) continue;
    none ??= new Uint8Array(filled);
    none[row] = 1;
  }
  return none;
}

/** The first value tells, but of texts that are padded in front. */
function hasNone(values: Float32Array, start: number, width: number): boolean {
  for (let i = start; i < start + width; i++) {
    const value = values[i] as number;
    if (value !== 0) return Number.isNaN(value);
  }
  return false;
}

/**
 * What a training step reads of a batch some of whose answers are none: zeros in their place, and a weight of 0 for their
 * samples in every loss.
 */
export function weighingAnswers(
  feeds: Readonly<Record<string, Tensor>>,
  filled: number,
): Readonly<Record<string, Tensor>> {
  const none = Object.entries(feeds).flatMap(([name, value]) => {
    if (!name.startsWith('knowledge/')) return [];
    const rows = unansweredRows(value, filled);
    return rows ? [rows] : [];
  });
  if (none.length === 0) return feeds;
  const isNone = (row: number) => none.some((rows) => rows[row] === 1);
  return Object.fromEntries(
    Object.entries(feeds).map(([name, value]) => {
      if (name.startsWith('knowledge/')) return [name, zeroed(value, filled, isNone)];
      return name === ROW_WEIGHTS || name.startsWith(`${ROW_WEIGHTS}/`)
        ? [name, zeroed(value, filled, isNone)]
        : [name, value];
    }),
  );
}

function zeroed({ type, dims, data }: Tensor, filled: number, isNone: (row: number) => boolean): Tensor {
  const values = (data as Float32Array).slice();
  const width = values.length / (dims[0] as number);
  for (let row = 0; row < filled; row++) if (isNone(row)) values.fill(0, row * width, (row + 1) * width);
  return tensor(type as 'float32', dims, values);
}

/** The samples of a batch that have an answer, and the answers. */
export function withoutUnanswered(
  batch: Batch,
  answers: Tensor,
): { readonly batch: Batch; readonly answers: Tensor } {
  const none = unansweredRows(answers, batch.filled);
  if (!none) return { batch, answers };
  const kept = [...none.keys()].filter((row) => none[row] === 0);
  const like = emptyLike(batch, batch.rows, kept.length);
  kept.forEach((row, to) => {
    copyRow(batch, row, like, to);
  });
  const width = answers.data.length / batch.rows;
  const values = new Float32Array(answers.data.length);
  kept.forEach((row, to) => {
    values.set((answers.data as Float32Array).subarray(row * width, (row + 1) * width), to * width);
  });
  return {
    batch: like,
    answers: tensor('float32', answers.dims, values),
  };
}
