import type { Tensor } from '../onnx/tensor.ts';
import { principalAxes } from './principal-axes.ts';

/** Of the embeddings that students draw (`make.normal('embedding/weight', ..., 0.1)`). */
const DEVIATION = 0.1;

/**
 * First contents for a table of token embeddings [tokens, width]: a teacher's vectors of the tokens, without their mean, on
 * their strongest axes, as large as drawn ones would be. Words that mean the same then begin beside each other, those of
 * which no training text has one too (after Tulkens and van Dongen, "Model2Vec", 2024).
 *
 * @param vectors float32 [tokens, teacherWidth]
 */
export function tokenTableStart(vectors: Tensor, width: number): Float32Array {
  const [tokens, given] = vectors.dims as [number, number];
  const centred = withoutMean(vectors.data as Float32Array, given);
  const kept = Math.min(width, given);
  const axes = principalAxes(centred, given, kept, new Float32Array(tokens).fill(1 / tokens));
  const table = new Float32Array(tokens * width);
  let squares = 0;
  for (let token = 0; token < tokens; token++) {
    for (let axis = 0; axis < kept; axis++) {
      let part = 0;
      for (let i = 0; i < given; i++) part += centred[token * given + i]! * axes[axis * given + i]!;
      table[token * width + axis] = part;
      squares += part * part;
    }
  }
  const scale = DEVIATION / Math.sqrt(squares / table.length || 1);
  return table.map((value) => value * scale);
}

function withoutMean(rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width]! += rows[i]! / count;
  return rows.map((value, i) => value - mean[i % width]!);
}
