import { describe, expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import { measureChoices } from './multiple-choice.ts';
import { lettersPrompt, textsPrompt } from './prompts.ts';
import type { Question } from './question.ts';

const question = (id: string, choices: readonly string[], answer: number, subject = 'a'): Question => ({
  id,
  subject,
  text: `${id}?`,
  choices,
  answer,
});

/** A model that knows texts by heart. */
const scoring = (scores: Record<string, number>) => (_: string, text: string) =>
  scores[text.trim()] as number;

describe('choices by likelihood', () => {
  it('are right where the right one is the likeliest, as a whole or by its bytes', async () => {
    const questions = [
      question('1', ['no', 'certainly'], 1),
      question('2', ['no', 'certainly'], 0),
      question('3', ['no', 'certainly', 'never', 'é'], 3, 'b'),
    ];
    // For each byte: no -1, certainly -0.5, never -0.8, é (2 bytes) -2.
    const score = scoring({ no: -2, certainly: -4.5, never: -4, é: -4 });
    const report = await measureChoices(questions, score, { ask: textsPrompt });
    expect(report).toMatchObject({ questions: 3, accuracy: 1 / 3, byBytes: 1 / 3 });
    expect(report.chance).toBeCloseTo((1 / 2 + 1 / 2 + 1 / 4) / 3, 12);
    expect(report.aboveChance).toBeCloseTo((1 / 3 - 5 / 12) / (7 / 12), 12);
    expect(report.subjects.map(({ subject, accuracy, byBytes }) => [subject, accuracy, byBytes])).toEqual([
      ['a', 0.5, 0.5],
      ['b', 0, 0],
    ]);
    expect(report.subjectMean).toBe(0.25);
    expect(report.interval.low).toBeGreaterThan(0);
  });

  it('are gathered by category, over questions and over subjects', async () => {
    const subjects = ['algebra', 'algebra', 'algebra', 'physics', 'law', 'cooking'];
    const questions = subjects.map((subject, i) => question(`${i}`, ['a', 'b'], i < 3 ? 0 : 1, subject));
    const categories: Record<string, string> = { algebra: 'STEM', physics: 'STEM', law: 'humanities' };
    const report = await measureChoices(questions, scoring({ a: -1, b: -2 }), {
      ask: textsPrompt,
      categoryOf: (subject) => categories[subject],
    });
    expect(
      report.categories.map(({ category, questions: asked, accuracy, subjectMean }) => [
        category,
        asked,
        accuracy,
        subjectMean,
      ]),
    ).toEqual([
      ['STEM', 4, 0.75, 0.5],
      ['humanities', 1, 0, 0],
    ]);
    expect([report.accuracy, report.subjectMean]).toEqual([0.5, 0.25]);
  });

  it('have an interval of the mean over subjects that holds in 95 of 100 repetitions', async () => {
    const random = randomStream(3, 'subjects');
    const [parts, sizes] = [
      [0.9, 0.3, 0.6],
      [20, 30, 50],
    ];
    const truth = (0.9 + 0.3 + 0.6) / 3;
    let held = 0;
    for (let round = 0; round < 250; round++) {
      const rights = sizes.flatMap((size, subject) =>
        Array.from({ length: size }, () => ({
          subject,
          right: random.uniform() < (parts[subject] as number),
        })),
      );
      const asked = rights.map(({ subject, right }, i) =>
        question(`${i}`, ['a', 'b'], right ? 0 : 1, `${subject}`),
      );
      const { subjectMeanInterval: found } = await measureChoices(asked, scoring({ a: -1, b: -2 }), {
        ask: textsPrompt,
      });
      if (found.low <= truth && truth <= found.high) held++;
    }
    expect(held / 250).toBeGreaterThan(0.92);
    expect(held / 250).toBeLessThan(0.98);
  });

  it('are judged by what the question adds, where all have a premise', async () => {
    const likely: Record<string, Record<string, number>> = {
      'a poodle is a': { dog: -5, thing: -2 },
      'it is a': { dog: -9, thing: -1 },
    };
    const one = {
      ...question('1', ['dog', 'thing'], 0),
      ...{ beginning: 'a poodle is a', premise: 'it is a' },
    };
    const score = (before: string, text: string) => likely[before]?.[text.trim()] as number;
    const report = await measureChoices([one], score, { ask: textsPrompt });
    expect(report).toMatchObject({ accuracy: 0, byInformation: { accuracy: 1, aboveChance: 1 } });
    const { premise: _, ...without } = one;
    const mixed = await measureChoices([one, without], score, { ask: textsPrompt });
    expect(mixed.byInformation).toBeUndefined();
  });

  it('count their part where several are as likely: a model that knows nothing is at chance', async () => {
    const questions = Array.from({ length: 5 }, (_, i) => question(`${i}`, ['a', 'b', 'c', 'd'], i % 4));
    const report = await measureChoices(questions, () => -1, { ask: lettersPrompt });
    expect(report).toMatchObject({ accuracy: 0.25, byBytes: 0.25, chance: 0.25, aboveChance: 0 });
  });

  it('are asked for all choices of a question at once', async () => {
    let waiting = 0;
    let most = 0;
    const score = async (_: string, text: string) => {
      most = Math.max(most, ++waiting);
      await Promise.resolve();
      waiting--;
      return text === ' B' ? -1 : -2;
    };
    const { accuracy } = await measureChoices([question('1', ['x', 'y', 'z'], 1)], score, {
      ask: lettersPrompt,
    });
    expect([accuracy, most]).toEqual([1, 3]);
  });

  it('are refused where a model gives no numbers, and stop when asked to', async () => {
    const one = [question('test/a_test.csv:7', ['a', 'b'], 0)];
    await expect(measureChoices(one, () => Number.NaN, { ask: textsPrompt })).rejects.toMatchObject({
      code: 'measure.likelihood',
      where: 'question test/a_test.csv:7',
    });
    // What can never follow has no likelihood, which is an answer.
    const never = await measureChoices(one, scoring({ a: -3, b: Number.NEGATIVE_INFINITY }), {
      ask: textsPrompt,
    });
    expect(never.accuracy).toBe(1);
    const stopped = measureChoices(one, () => -1, { ask: textsPrompt, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  });
});
