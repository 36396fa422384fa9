import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { env, pipeline, type TextClassificationPipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tokenizer } from '../src/data/modalities/text/tokenizer/tokenizer.ts';
import { useLiteTokenizer } from '../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import type { TextDataset } from '../src/data/text-dataset.ts';
import type { Session } from '../src/engine/engine.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { tensor } from '../src/onnx/tensor.ts';
import { accuracyOf, type RunResult } from '../src/report/result.ts';
import { prepareRecipeData } from '../src/run/data/prepare-data.ts';
import { distill } from '../src/run/distill.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { RunPlace, smallRecipe } from './support/small-run.ts';

const place = new RunPlace();
const recipe = smallRecipe(['training.epochs=2', 'baseline.epochs=1']);
const student = (...names: string[]) => place.path('runs', 'small', 'student', ...names);

let result: RunResult;
let tokenizer: Tokenizer;
let dataset: TextDataset;
let labels: readonly string[];
let texts: string[];
let truth: string[];

beforeAll(async () => {
  writeJsonLines(place.path('data.jsonl'), await readGlosses(300));
  result = await distill(recipe, place.options('small'));
  tokenizer = await useLiteTokenizer();
  dataset = await prepareRecipeData({ recipe, options: place.options('small') }, { tokenizer });
  labels = dataset.labels;
  const { test: split } = dataset.splits;
  texts = Array.from({ length: split.size }, (_, ordinal) => split.text(ordinal));
  const labelOf = new Map((await readGlosses(300)).map(({ text, label }) => [text, label]));
  truth = texts.map((text) => labelOf.get(text) ?? '');
  env.localModelPath = dirname(student());
  env.allowRemoteModels = false;
});
afterAll(() => {
  dataset?.close();
  place.remove();
});

/** Texts that tokenizers differ about: cut texts, capitals, spaces, symbols, scripts that the vocabulary lacks. */
const AWKWARD = [
  'a',
  'THE CAPITAL OF A COUNTRY',
  'two  spaces   and three',
  ' a space before and after ',
  'line\nbreaks\r\nand\ttabs',
  'prices: $3.50, 20%, "quotes" -- and (brackets)…',
  'ﬁne ligatures, ｆｕｌｌ width, Ⅳ',
  'naïve café Ångström',
  'naïve in combining marks',
  '日本の首都',
  '🦊 jumps over 🐶',
  'zero\u200bwidth',
  `an animal ${'that lives in the sea and '.repeat(20)}eats fish`,
];

/** The probabilities of every class, by our own tokenizer and session, a text at a time. */
async function ours(session: Session, text: string): Promise<number[]> {
  const ids = tokenizer.encode(text).slice(0, recipe.data.maxLength);
  const logits = await session.run({
    input_ids: tensor('int64', [1, ids.length], BigInt64Array.from(ids, BigInt)),
    attention_mask: tensor('int64', [1, ids.length], new BigInt64Array(ids.length).fill(1n)),
  });
  const values = [...(logits.logits.data as Float32Array)];
  const exps = values.map((value) => Math.exp(value - Math.max(...values)));
  return exps.map((value) => value / exps.reduce((sum, part) => sum + part, 0));
}

interface Scored {
  label: string;
  score: number;
}

describe.each([
  ['fp32', 'model.onnx', 1e-4],
  ['q8', 'model_quantized.onnx', 1e-3],
] as const)('pipeline(text-classification) with dtype %s', (dtype, file, tolerance) => {
  let classify: TextClassificationPipeline;
  let session: Session;

  beforeAll(async () => {
    classify = await pipeline('text-classification', 'student', { dtype });
    session = await createNodeEngine().load(student('onnx', file));
  });
  afterAll(async () => {
    await session?.release();
    await classify?.dispose();
  });

  /** All classes of one text. */
  async function theirs(input: string): Promise<Map<string, number>> {
    const scored = (await classify(input, { top_k: labels.length })) as Scored[];
    return new Map(scored.map(({ label, score }) => [label, score]));
  }

  test('gives our scores for every class, a text at a time', async () => {
    for (const text of [...texts, ...AWKWARD]) {
      const [expected, found] = [await ours(session, text), await theirs(text)];
      expect(found.size).toBe(labels.length);
      labels.forEach((label, i) => {
        expect(
          Math.abs(found.get(label)! - expected[i]!),
          `${label} of ${JSON.stringify(text)}`,
        ).toBeLessThan(tolerance);
      });
    }
  });

  test('gives our answers for padded batches, and the accuracy that result.json says', async () => {
    let right = 0;
    for (let first = 0; first < texts.length; first += 32) {
      const batch = texts.slice(first, first + 32);
      const answers = (await classify(batch)) as Scored[];
      expect(answers).toHaveLength(batch.length);
      for (const [i, { label, score }] of answers.entries()) {
        const expected = await ours(session, batch[i]!);
        const best = Math.max(...expected);
        expect(Math.abs(score - best), batch[i]).toBeLessThan(tolerance);
        // Only where two classes are as good may the other one be told.
        expect(best - expected[labels.indexOf(label)]!, batch[i]).toBeLessThan(tolerance);
        if (label === truth[first + i]) right++;
      }
    }
    const told = dtype === 'fp32' ? result.student : result.studentInt8!;
    expect(texts.length).toBeGreaterThanOrEqual(200);
    expect(right / texts.length).toBeCloseTo(accuracyOf(told), 9);
  });

  test('gives one answer for a text whatever stands beside it in the batch', async () => {
    const alone = ((await classify(texts[0]!)) as Scored[])[0]!;
    const [beside] = (await classify([texts[0]!, AWKWARD.at(-1)!])) as Scored[];
    expect(beside!.label).toBe(alone.label);
    expect(Math.abs(beside!.score - alone.score)).toBeLessThan(tolerance);
  });
});

test('the code in the model card runs as it is printed', async () => {
  const card = readFileSync(student('README.md'), 'utf8');
  const [, code] = /```js\n([\s\S]*?)\n```/.exec(card) ?? [];
  expect(code).toMatch(/pipeline\('text-classification'/);
  // The folder that holds the student, with transformers.js installed in it.
  const folder = dirname(student());
  symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'card.mjs'), code!);
  const { stdout } = await promisify(execFile)(process.execPath, ['card.mjs'], { cwd: folder });
  const [, answer] = /label: '([^']+)'/.exec(stdout) ?? [];
  expect(labels, stdout).toContain(answer);
  expect(stdout).toMatch(/score: 0\.\d+/);
});
