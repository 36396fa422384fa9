import { describe, expect, it } from 'vitest';
import { createComparison } from './model-comparison.ts';

const answer = (label: number, confidence = 0.5) => ({ label, confidence });

function compare(rows: [truth: number, teacher: number, student: number, baseline?: number][]) {
  const comparison = createComparison({ labels: ['a', 'b', 'c'], seed: 1 });
  rows.forEach(([truth, teacher, student, baseline], index) => {
    comparison.add({
      example: () => ({ text: `text ${index}` }),
      truth,
      teacher: answer(teacher),
      student: answer(student),
      baseline: baseline === undefined ? undefined : answer(baseline),
    });
  });
  return comparison.result();
}

describe('createComparison', () => {
  it('tells the errors that the student inherited from those that it made', () => {
    const { errors } = compare([
      [0, 0, 0], // both right
      [0, 1, 1], // inherited
      [0, 1, 1], // inherited
      [2, 0, 0], // inherited
      [1, 1, 2], // own, the teacher was right
      [1, 0, 2], // own, the teacher was wrong otherwise
      [2, 1, 2], // corrected
    ]);
    expect(errors).toEqual({
      inherited: {
        count: 3,
        pairs: [
          { truth: 0, predicted: 1, count: 2 },
          { truth: 2, predicted: 0, count: 1 },
        ],
      },
      own: { count: 2, teacherRight: 1, pairs: [{ truth: 1, predicted: 2, count: 2 }] },
      corrected: 1,
      agreed: 4,
      total: 7,
    });
  });

  it('counts the confusion of each model', () => {
    const { confusion } = compare([
      [0, 1, 0, 2],
      [2, 2, 2, 2],
    ]);
    expect(confusion.teacher).toEqual([
      [0, 1, 0],
      [0, 0, 0],
      [0, 0, 1],
    ]);
    expect(confusion.student).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 1],
    ]);
    expect(confusion.baseline).toEqual([
      [0, 0, 1],
      [0, 0, 0],
      [0, 0, 1],
    ]);
  });

  it('has no baseline when none answered', () => {
    const { confusion, calibration } = compare([[0, 0, 0]]);
    expect(confusion.baseline).toBeNull();
    expect(calibration?.baseline).toBeNull();
  });

  it('keeps twelve disagreements, of every kind, and no agreement', () => {
    const rows: [number, number, number][] = [];
    for (let index = 0; index < 300; index++) rows.push([0, 1, 0], [0, 0, 1], [0, 1, 2], [1, 1, 1]);
    const { disagreements } = compare(rows);
    expect(disagreements).toHaveLength(12);
    expect(disagreements.filter(({ truth, student }) => student.label === truth)).toHaveLength(4);
    expect(disagreements.filter(({ truth, teacher }) => teacher.label === truth)).toHaveLength(4);
    expect(new Set(disagreements.map(({ text }) => text)).size).toBe(12);
    // A sample of all rows, not the first ones.
    expect(disagreements.some(({ text }) => Number(text.slice(5)) > 400)).toBe(true);
    expect(compare(rows).disagreements).toEqual(disagreements);
  });

  it('fills up with one kind when the others do not occur', () => {
    const rows: [number, number, number][] = Array.from({ length: 20 }, () => [0, 0, 1]);
    expect(compare(rows).disagreements).toHaveLength(12);
  });

  it('cuts texts that are too long for a card', () => {
    const comparison = createComparison({ labels: ['a', 'b'], seed: 1 });
    comparison.add({
      example: () => ({ text: 'x'.repeat(5000) }),
      truth: 0,
      teacher: answer(0),
      student: answer(1),
    });
    expect(comparison.result().disagreements[0]!.text).toHaveLength(601);
  });

  it('shows no sample where none is wanted', () => {
    const comparison = createComparison({ labels: ['a', 'b'], seed: 1, examples: false });
    comparison.add({ example: () => ({ text: 'secret' }), truth: 0, teacher: answer(0), student: answer(1) });
    expect(comparison.result()).toMatchObject({ disagreements: [], errors: { own: { count: 1 } } });
  });

  it('keeps the sound of a sample that is shown, and makes no other', () => {
    const comparison = createComparison({ labels: ['a', 'b'], seed: 1 });
    let made = 0;
    const example = () => {
      made++;
      return { text: 'a', picture: 'data:image/svg+xml;base64,', sound: 'data:audio/wav;base64,' };
    };
    comparison.add({ example, truth: 0, teacher: answer(0), student: answer(0) });
    expect(made).toBe(0);
    comparison.add({ example, truth: 0, teacher: answer(0), student: answer(1) });
    expect(comparison.result().disagreements).toMatchObject([{ ...example(), truth: 0 }]);
  });

  it('refuses an answer that is no probability', () => {
    const comparison = createComparison({ labels: ['a', 'b'], seed: 1 });
    const add = (confidence: number) =>
      comparison.add({
        example: () => ({ text: '' }),
        truth: 0,
        teacher: answer(0, confidence),
        student: answer(0),
      });
    expect(() => add(Number.NaN)).toThrow('not a probability');
    expect(() => add(1.5)).toThrow('not a probability');
  });
});

describe('createComparison without a teacher', () => {
  const told = (examples: boolean) => {
    const answers = createComparison({ labels: ['a', 'b'], seed: 1, examples });
    for (let i = 0; i < 40; i++)
      answers.add({ example: () => ({ text: `text ${i}` }), truth: 0, student: answer(i % 2) });
    return answers.result();
  };

  it('counts the confusion, and keeps twelve mistakes', () => {
    const { confusion, mistakes, calibration, errors } = told(true);
    expect(errors).toBeNull();
    expect(confusion.teacher).toBeNull();
    expect(confusion.student).toEqual([
      [20, 20],
      [0, 0],
    ]);
    expect(calibration?.student).toHaveLength(1);
    expect(mistakes).toHaveLength(12);
    expect(mistakes.every(({ student }) => student.label === 1)).toBe(true);
  });

  it('shows none where none is wanted', () => {
    expect(told(false)).toMatchObject({
      mistakes: [],
      confusion: {
        student: [
          [20, 20],
          [0, 0],
        ],
      },
    });
  });
});
