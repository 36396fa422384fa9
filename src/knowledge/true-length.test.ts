import { describe, expect, it } from 'vitest';
import { type AnswerDims, dimsAt, withoutPadding, writePadded } from './true-length.ts';

/** Numbers from 1, so that 0 is padding alone. */
const counted = (dims: readonly number[]) =>
  Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);

describe('answers of true length', () => {
  it('keeps the rows and columns of tokens of an attention map', () => {
    const dims: AnswerDims = [2, 'sequence', 'sequence'];
    const kept = withoutPadding(counted([2, 3, 3]), dims, { padded: 3, start: 1, length: 2 });
    expect([...kept]).toEqual([5, 6, 8, 9, 14, 15, 17, 18]);
  });

  it('puts them back where a longer padding has them, with zeros around', () => {
    const into = new Float32Array(2 * 3 * 3);
    writePadded(counted([2, 2, 2]), [2, 'sequence', 'sequence'], { padded: 3, start: 0, length: 2 }, into);
    expect([...into]).toEqual([1, 2, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 7, 8, 0, 0, 0, 0]);
  });

  it.each<[AnswerDims]>([
    [['sequence']],
    [['sequence', 3]],
    [[2, 'sequence', 3]],
    [[2, 'sequence', 'sequence', 2]],
  ])('gives back what it kept, for the shape %j', (dims) => {
    const values = counted(dimsAt(dims, 4));
    for (const start of [0, 2, 3]) {
      const padded = new Float32Array(counted(dimsAt(dims, 7)).length);
      writePadded(values, dims, { padded: 7, start, length: 4 }, padded);
      expect(padded.filter((value) => value > 0)).toHaveLength(values.length);
      expect(withoutPadding(padded, dims, { padded: 7, start, length: 4 })).toEqual(values);
    }
  });
});
