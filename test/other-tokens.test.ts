import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkRecipe } from '../src/recipe/parse.ts';
import { check } from '../src/run/check.ts';
import { distill } from '../src/run/distill.ts';
import { label } from '../src/run/label.ts';
import { train } from '../src/run/train.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

/** Sentences of a small grammar, with characters of several bytes. */
function sentence(i: number): string {
  const who = ['cat', 'dog', 'bird', 'fish'][i % 4] as string;
  const thing = { cat: 'ball', dog: 'bøne', bird: 'seed', fish: 'pond' }[who] as string;
  const colour = ['red', 'blue', 'green'][Math.floor(i / 4) % 3] as string;
  return `the ${who} likes the ${colour} ${thing}, number ${i}`;
}

function recipeOf(name: string, minFrequency: number, more: Record<string, unknown> = {}) {
  return checkRecipe({
    name,
    task: 'text-generation',
    data: {
      source: { kind: 'jsonl', path: 'documents.jsonl' },
      splits: { validation: 20, test: 30 },
      maxLength: 16,
      buckets: [16],
    },
    inputs: {
      text: {
        modality: 'text',
        field: 'text',
        tokenizer: { train: { kind: 'bpe', vocabulary: 600, minFrequency } },
      },
    },
    outputs: { logits: { target: 'next-tokens', field: 'text' } },
    student: { kind: 'gpt2', width: 24, heads: 2, layers: 1 },
    training: {
      epochs: 5,
      batchSize: 16,
      optimizer: { kind: 'adamw', learningRate: 0.01 },
      earlyStopping: false,
    },
    baseline: { epochs: 1 },
    export: { int8: false },
    store: 'store',
    ...more,
  });
}

const teacher = { kind: 'onnx', model: 'runs/teacher/student', train: 'none' };
const keeping = (keep: unknown) => ({ logits: { target: 'next-tokens', field: 'text', keep } });

beforeAll(async () => {
  const lines = Array.from({ length: 170 }, (_, i) => JSON.stringify({ text: sentence(i) }));
  writeFileSync(place.path('documents.jsonl'), `${lines.join('\n')}\n`);
  await train(recipeOf('teacher', 2), place.options('teacher'));
});

describe('a language model whose tokens are not its teacher’s', () => {
  test('is taught by the likelihoods of spans; a labelling that was stopped goes on', async () => {
    const recipe = recipeOf('spans', 70, { teacher, outputs: keeping('spans') });
    const stop = new AbortController();
    const stopped = label(recipe, {
      ...place.options('spans'),
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.task === 'labelling' && event.done > 0) stop.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'run.interrupted' });
    const { result, logs } = await taught(recipe, 'spans');
    const [, missing, all] =
      /^(\d+) of (\d+) train texts have no answer yet; about [\d.]+ kB/m.exec(logs) ?? [];
    expect(Number(missing)).toBeLessThan(Number(all));
    expect(Number(missing)).toBeGreaterThan(0);
    expect(logs).toMatch(/\d\d\.\d % of the teacher's tokens end where one of the student's does/);
    // By the bits of a byte alone models with different tokens are compared.
    expect(result.metrics[0]?.name).toBe('bitsPerByte');
    expect(result.teacher?.metrics.bitsPerByte).toBeLessThan(1.2);
    expect(result.student.metrics.bitsPerByte).toBeLessThan(result.baseline?.metrics.bitsPerByte as number);
    const page = readFileSync(place.path('runs', 'spans', 'report.html'), 'utf8');
    expect(page).toContain('How texts go on');
    expect(losses('spans').at(-1)).toBeLessThan(losses('spans')[0] as number);
  });

  test('is taught by probabilities in order', async () => {
    const recipe = recipeOf('sorted', 70, { teacher, outputs: keeping({ sorted: 8 }) });
    const { result } = await taught(recipe, 'sorted', { baseline: false });
    expect(result.student.metrics.bitsPerByte).toBeLessThan(2);
    expect(losses('sorted').at(-1)).toBeLessThan(losses('sorted')[0] as number);
  });

  test('is refused where nothing says how tokens that differ are compared', async () => {
    const refused = check(recipeOf('refused', 70, { teacher }), place.options('refused'));
    await expect(refused).rejects.toMatchObject({
      code: 'recipe.invalid',
      remedy: expect.stringMatching(/keep: spans .*alignedLikelihoods.*keep: \{ sorted: 32 \} with uld/),
    });
    const words = {
      modality: 'text',
      field: 'text',
      tokenizer: { train: { kind: 'wordpiece', vocabulary: 512 } },
    };
    const unspelt = recipeOf('unspelt', 70, { teacher, outputs: keeping('spans'), inputs: { text: words } });
    await expect(check(unspelt, place.options('unspelt'))).rejects.toMatchObject({
      code: 'teacher.vocabulary',
    });
  });
});

async function taught(recipe: ReturnType<typeof recipeOf>, name: string, more: { baseline?: boolean } = {}) {
  const logs: string[] = [];
  const result = await distill(recipe, {
    ...place.options(name, more),
    onEvent: (event) => {
      if (event.type === 'log') logs.push(event.message);
    },
  });
  return { result, logs: logs.join('\n') };
}

/** The loss of a run's student at each evaluation. */
function losses(name: string): number[] {
  const lines = readFileSync(place.path('runs', name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines
    .map((line) => JSON.parse(line) as { stage: string; loss?: number })
    .flatMap(({ stage, loss }) => (stage === 'train' && loss !== undefined ? [loss] : []));
}
