import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../src/cli/testing/run-cli.ts';
import { writeTinyLanguageModel } from '../src/generate/testing/tiny-language-model.ts';
import { lettersPrompt } from '../src/metrics/choices/prompts.ts';
import { askQuestions } from '../src/run/ask-questions.ts';
import { openTextGenerator } from '../src/run/open-text-generator.ts';
import { jsonLines } from './support/child-process.ts';

const place = mkdtempSync(join(tmpdir(), 'limbeck-questions-'));
const folder = join(place, 'student');
const [answered, asked] = [2, 5];
const rowOf = (i: number) => `what is ${i},one,two,three,four,${'ABCD'[i % 4]}`;

beforeAll(() => {
  writeTinyLanguageModel(folder, 'gpt2', 256);
  for (const [part, rows] of [
    ['dev', Array.from({ length: answered }, (_, i) => rowOf(i))],
    [
      'test',
      [
        ...Array.from({ length: asked }, (_, i) => rowOf(i + 10)),
        `${'long '.repeat(60)},a,b,c,d,A`,
        'no question',
      ],
    ],
  ] as const) {
    mkdirSync(join(place, 'mmlu', part), { recursive: true });
    writeFileSync(join(place, 'mmlu', part, `numbers_${part}.csv`), `${rows.join('\n')}\n`);
  }
});
afterAll(() => rmSync(place, { recursive: true }));

test('limbeck ask tells how often the right answer is the likeliest, and what was not asked', async () => {
  const args = ['ask', folder, 'mmlu', '--json'];
  const { out, code } = await runCli(args, place, { askQuestions });
  expect(code).toBe(0);
  const result = jsonLines(out).at(-1);
  expect(result).toMatchObject({ type: 'result', questions: asked, tooLong: 1, chance: 0.25 });
  expect((result as { broken: unknown[] }).broken).toHaveLength(1);

  const model = await openTextGenerator(folder);
  let right = 0;
  const question = (i: number) => ({
    ...{ id: String(i), subject: 'numbers', text: `what is ${i}` },
    ...{ choices: ['one', 'two', 'three', 'four'], answer: i % 4 },
  });
  for (let i = 10; i < 10 + asked; i++) {
    const { prompt, continuations } = lettersPrompt(question(i), {
      shots: Array.from({ length: answered }, (_, shot) => question(shot)),
      fits: (text) => model.tokens(text) < 256,
    });
    const scores = await model.logLikelihoods(prompt, continuations);
    if (scores.indexOf(Math.max(...scores)) === i % 4) right++;
  }
  await model.release();
  expect((result as { accuracy: number }).accuracy).toBeCloseTo(right / asked, 10);
  const { out: told } = await runCli(['ask', folder, 'mmlu', '--count', '3'], place, { askQuestions });
  expect(told).toMatch(/in all +3 /);
  expect(told).toMatch(/Before each question stood 2\.0 answered ones in the mean/);
  expect(told).not.toMatch(/No answered question/);

  for (const count of ['0', '1e3', '-1', ''])
    expect(await runCli(['ask', folder, 'mmlu', '--count', count], place, { askQuestions })).toMatchObject({
      code: 2,
      err: expect.stringContaining('a whole number from 1'),
    });

  // A second subject, and both are of a category.
  mkdirSync(join(place, 'two', 'test'), { recursive: true });
  for (const subject of ['anatomy', 'virology'])
    writeFileSync(join(place, 'two', 'test', `${subject}_test.csv`), `${rowOf(1)}\n${rowOf(2)}\n`);
  const { out: both } = await runCli(['ask', folder, 'two'], place, { askQuestions });
  expect(both).toMatch(/No answered question stood before any/);
  expect(both).toMatch(/right over questions +95 % +over subjects/);
  expect(both).toMatch(/\nother +4 /);
});

test('tells of broken rows before it tells of positions, and where nothing can be asked', async () => {
  const broken = join(place, 'broken');
  mkdirSync(join(broken, 'test'), { recursive: true });
  const file = join(broken, 'test', 'numbers_test.csv');
  const refusal = () => askQuestions(folder, { questions: broken }).catch((error: unknown) => error);
  writeFileSync(file, 'what is 1,one,two,three,four,E\nno question\n');
  expect(await refusal()).toMatchObject({
    code: 'data.empty',
    message: '2 rows are no questions; the first: the answer is "E", not A, B, C or D',
    where: `${broken}, test/numbers_test.csv:1`,
    remedy: expect.stringMatching(/^Write a question, its four choices/),
  });
  writeFileSync(file, `no question\n${'long '.repeat(60)},a,b,c,d,A\n`);
  expect(await refusal()).toMatchObject({
    message: expect.stringMatching(
      /^a row is no question; the row has 1 columns.*; the model has too few positions for any of 1 questions$/,
    ),
    where: `${broken}, test/numbers_test.csv:1`,
  });
});

test('says which models are asked about WordNet, and what a folder of questions looks like', async () => {
  await expect(askQuestions(folder, { questions: 'hypernyms' })).rejects.toMatchObject({
    code: 'recipe.invalid',
  });
  await expect(askQuestions(folder, { questions: join(place, 'nothing') })).rejects.toMatchObject({
    code: 'data.not-found',
    remedy: expect.stringMatching(/^Write one of definitions, hypernyms, examples, or the folder/),
  });
});
