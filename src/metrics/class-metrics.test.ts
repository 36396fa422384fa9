import { describe, expect, it } from 'vitest';
import { float32, tensor } from '../onnx/tensor.ts';
import { accuracy } from './accuracy.ts';
import { crossEntropy } from './cross-entropy.ts';
import { macroF1 } from './macro-f1.ts';
import { Measuring } from './measuring.ts';
import { isBetter, type MeasuredBatch } from './metric.ts';

/** A batch of the labels, of which the last `filler` rows are none. */
function labelled(labels: number[], filler = 0, column = 'labels'): MeasuredBatch {
  return {
    filled: labels.length - filler,
    ordinals: Uint32Array.from(labels, (_, row) => row),
    columns: { [column]: tensor('int32', [labels.length], Int32Array.from(labels)) },
  };
}

const LOGITS = float32([2, 0, 0, /**/ 0, 1, 0, /**/ 0, 3, 0, /**/ 9, 0, 0], [4, 3]);

describe('metrics over classes', () => {
  it('count the filled rows that have a label', () => {
    const measuring = new Measuring([accuracy(), macroF1({ classes: 3 }), crossEntropy()]);
    measuring.add(LOGITS, labelled([0, 0, 1, 2], 1));
    measuring.add(LOGITS, labelled([-1, 1, -1, -1]));
    const nats = (row: number[], label: number) =>
      Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[label];
    const { accuracy: right, macroF1: f1, loss } = measuring.values();
    expect(right).toBe(3 / 4);
    // Class 0: 1 of 2 found, nothing else called so. Class 1: 2 of 2 found, one other called so.
    expect(f1).toBeCloseTo((2 / 3 + 4 / 5) / 2, 12);
    expect(loss).toBeCloseTo(
      (nats([2, 0, 0], 0) + nats([0, 1, 0], 0) + nats([0, 3, 0], 1) + nats([0, 1, 0], 1)) / 4,
      12,
    );
  });

  it('read the column of their output, and choose among the classes that they are told', () => {
    const measuring = new Measuring([accuracy({ labels: 'labels/side', among: () => [0, 2] })]);
    measuring.add(LOGITS, labelled([0, 2, 0, 0], 0, 'labels/side'));
    // Rows 1 and 2 are ties between the classes 0 and 2, which the first one wins.
    expect(measuring.values('side/')).toEqual({ 'side/accuracy': 3 / 4 });
    expect(() => new Measuring([accuracy()]).add(LOGITS, labelled([0, 0, 0, 0], 0, 'other'))).toThrow(
      'labels',
    );
  });

  it('refuse to make an answer of what is no number', () => {
    const measuring = new Measuring([accuracy()]);
    expect(() => measuring.add(float32([Number.NaN, 0], [1, 2]), labelled([0]))).toThrow(/NaN or infinite/);
  });
});

describe('isBetter', () => {
  it('goes by the direction of the metric, and prefers any number to none', () => {
    expect(isBetter(accuracy(), { accuracy: 0.5 }, { accuracy: 0.4 })).toBe(true);
    expect(isBetter(accuracy(), { accuracy: 0.4 }, { accuracy: 0.4 })).toBe(false);
    expect(isBetter(crossEntropy(), { loss: 1 }, { loss: 2 })).toBe(true);
    expect(isBetter(crossEntropy(), { loss: 3 }, { loss: Number.NaN })).toBe(true);
    expect(isBetter(crossEntropy(), { loss: Number.NaN }, { loss: 3 })).toBe(false);
    expect(isBetter(crossEntropy(), { loss: 9 }, undefined)).toBe(true);
  });
});
