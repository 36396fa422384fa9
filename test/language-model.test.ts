import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KnowledgeStore } from '../src/knowledge/store.ts';
import { checkRecipe } from '../src/recipe/parse.ts';
import { check } from '../src/run/check.ts';
import { distill } from '../src/run/distill.ts';
import { evaluate } from '../src/run/evaluate.ts';
import { label } from '../src/run/label.ts';
import { openTextGenerator } from '../src/run/open-text-generator.ts';
import { train } from '../src/run/train.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();

/** Sentences of a small grammar: who does something with a thing of a colour, the thing being the doer's own. */
function sentence(i: number): string {
  const who = ['cat', 'dog', 'bird', 'fish'][i % 4] as string;
  const thing = { cat: 'ball', dog: 'bone', bird: 'seed', fish: 'pond' }[who] as string;
  const colour = ['red', 'blue', 'green'][Math.floor(i / 4) % 3] as string;
  const verb = ['sees', 'likes', 'wants', 'has'][Math.floor(i / 12) % 4] as string;
  return `the ${who} ${verb} the ${colour} ${thing} number ${i}`;
}

beforeAll(() => {
  const documents = Array.from({ length: 400 }, (_, i) => sentence(i));
  // One that is much longer than what a model reads at once.
  documents.push(Array.from({ length: 120 }, (_, i) => sentence(i + 500)).join('. '));
  const lines = documents.map((text) => JSON.stringify({ text }));
  writeFileSync(place.path('documents.jsonl'), `${lines.join('\n')}\n`);
});
afterAll(() => place.remove());

function recipeOf(name: string, more: Record<string, unknown> = {}) {
  return checkRecipe({
    name,
    task: 'text-generation',
    data: {
      source: { kind: 'jsonl', path: 'documents.jsonl' },
      splits: { validation: 40, test: 60 },
      maxLength: 16,
      buckets: [12, 16],
    },
    inputs: {
      text: { modality: 'text', field: 'text', tokenizer: { train: { kind: 'bpe', vocabulary: 512 } } },
    },
    outputs: { logits: { target: 'next-tokens', field: 'text' } },
    student: { kind: 'gpt2', width: 32, heads: 2, layers: 1 },
    training: {
      epochs: 16,
      batchSize: 16,
      optimizer: { kind: 'adamw', learningRate: 0.01 },
      earlyStopping: false,
    },
    baseline: { epochs: 1 },
    export: { int8: { maxDrop: 0.5 } },
    store: 'store',
    ...more,
  });
}

/** All texts that a store has of a teacher, by key. */
async function textsIn(name: string): Promise<unknown[]> {
  const store = await KnowledgeStore.open(place.path(name));
  const info = (await store.list()).find(({ tap }) => tap === 'written texts');
  const space = await store.space(info as NonNullable<typeof info>);
  const keys = space.check(undefined, 1000).map(({ key }) => key);
  const texts = keys.map((key) => [[...key], [...(space.sized(key)[0]?.values ?? [])]]);
  await store.close();
  return texts;
}

describe('a language model', () => {
  test('learns from documents of any length, ships with a cache, is measured again alike and goes on from texts', async () => {
    const options = place.options('teacher');
    const result = await train(recipeOf('teacher'), options);
    expect(result.metrics.map(({ name }) => name)).toEqual(['perplexity', 'bitsPerByte', 'tokenAccuracy']);
    expect(result.student.metrics.perplexity).toBeLessThan(6);
    const [uniform, trigram] = result.references ?? [];
    expect(trigram?.metrics.perplexity).toBeLessThan(50);
    expect(trigram?.metrics.perplexity).toBeGreaterThan(1);
    const again = await evaluate(options.out, {});
    for (const { name, value } of again.metrics)
      expect(value).toBeCloseTo(result.student.metrics[name] as number, 4);
    const config = JSON.parse(readFileSync(place.path('runs', 'teacher', 'student', 'config.json'), 'utf8'));
    expect(config).toMatchObject({ model_type: 'gpt2', n_layer: 1, n_head: 2, n_embd: 32, n_positions: 16 });
    // With guessing every token costs the same.
    expect(uniform?.metrics.perplexity).toBeCloseTo(config.vocab_size, 6);
    const model = await openTextGenerator(options.out);
    const { text } = await model.generate('the dog sees the', { maxNewTokens: 4 });
    await model.release();
    expect(text).toMatch(/^ (red|blue|green) bone/);
  });

  test.each([
    [
      'the likeliest tokens, then pruned',
      { likeliest: 8 },
      { kind: 'gpt2' },
      [{ kind: 'prune', amount: 0.25 }],
    ],
    ['drawn tokens', { sampled: 8 }, { kind: 'gpt2' }, undefined],
    ['all logits', 'all', { kind: 'llama', keyHeads: 1 }, undefined],
  ])('teaches another by %s', async (_, keep, kind, compress) => {
    const name = `student-${JSON.stringify(keep).replaceAll(/\W/g, '')}`;
    const result = await distill(
      recipeOf(name, {
        inputs: undefined,
        outputs: { logits: { target: 'next-tokens', field: 'text', keep } },
        teacher: { kind: 'onnx', model: 'runs/teacher/student', train: 'none' },
        student: { ...kind, width: 24, heads: 2, layers: 1 },
        compress,
        training: {
          epochs: 8,
          batchSize: 16,
          optimizer: { kind: 'adamw', learningRate: 0.01 },
          earlyStopping: false,
        },
        export: { int8: false },
      }),
      place.options(name),
    );
    // int8 is compared with float32 token by token, before it labels.
    const state = JSON.parse(readFileSync(place.path('runs', name, 'state.json'), 'utf8'));
    expect(JSON.stringify(state)).toMatch(/"agreement":(1|0\.\d+)/);
    const { teacher, student, baseline } = result;
    const page = readFileSync(place.path('runs', name, 'report.html'), 'utf8');
    expect(page).toContain('How texts go on');
    expect(teacher?.metrics.perplexity).toBeLessThan(6);
    expect(student.metrics.perplexity).toBeLessThan(8);
    expect(student.metrics.perplexity).toBeLessThan(baseline?.metrics.perplexity as number);
  });

  test('is cut: what is left begins with its weights, learns from inside it, and ships in both precisions', async () => {
    const cut = (name: string, size: object, learningRate: number, epochs = 1) =>
      recipeOf(name, {
        inputs: undefined,
        teacher: { kind: 'onnx', model: 'runs/teacher/student', train: 'none' },
        student: { kind: 'cut', layers: 1, ...size },
        objective: { nextTokenKd: { weight: 1 }, hidden: { weight: 0.1 }, attention: { weight: 0.1 } },
        training: {
          epochs,
          batchSize: 16,
          optimizer: { kind: 'adamw', learningRate },
          earlyStopping: false,
        },
      });
    await expect(check(cut('refused', { heads: 3 }, 1), place.options('refused'))).rejects.toMatchObject({
      code: 'recipe.invalid',
      where: 'student.heads, of kind: cut',
    });
    const options = { ...place.options('whole'), baseline: false };
    const whole = await distill(cut('whole', {}, 1e-9), options);
    expect(whole.student.metrics.perplexity).toBeCloseTo(whole.teacher?.metrics.perplexity as number, 2);
    const half = await distill(cut('half', { heads: 1 }, 0.01, 2), {
      ...place.options('half'),
      baseline: false,
    });
    expect(half.student.metrics.perplexity).toBeLessThan(12);
    expect(half.studentInt8).not.toBeNull();
    const config = JSON.parse(readFileSync(place.path('runs', 'half', 'student', 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      ...{ model_type: 'gpt2', n_layer: 1, n_head: 1, n_embd: 16, n_inner: 64, tie_word_embeddings: true },
      limbeck: { architecture: 'gpt2' },
    });
    const model = await openTextGenerator(place.path('runs', 'half'));
    const { text } = await model.generate('the dog sees the', { maxNewTokens: 4 });
    await model.release();
    expect(text).toMatch(/^ (red|blue|green) /);
  });

  test('teaches by texts that it writes: alone, with the same ones after a stop, and no logits kept of the documents', async () => {
    const recipe = recipeOf('written', {
      inputs: undefined,
      data: {
        source: { kind: 'jsonl', path: 'documents.jsonl' },
        splits: { validation: 40, test: 60 },
        maxLength: 16,
        buckets: [12, 16],
        written: { part: 0.5, promptTokens: 3, alone: true },
      },
      teacher: { kind: 'onnx', model: 'runs/teacher/student', train: 'none' },
      student: { kind: 'gpt2', width: 24, heads: 2, layers: 1 },
      training: { epochs: 4, batchSize: 16, optimizer: { kind: 'adamw', learningRate: 0.01 } },
      export: { int8: false },
    });
    const stop = new AbortController();
    const texts: string[] = [];
    const cut = distill(recipe, {
      ...place.options('written'),
      signal: stop.signal,
      baseline: false,
      onEvent: (event) => {
        if (event.type === 'progress' && event.task === 'writing') stop.abort();
      },
    });
    await expect(cut).rejects.toMatchObject({ code: 'run.interrupted' });
    const options = { ...place.options('written'), baseline: false };
    const result = await distill(recipe, {
      ...options,
      onEvent: (event) => {
        if (event.type === 'stage-end' && event.stage === 'write') texts.push(event.summary);
      },
    });
    expect(texts[0]).toMatch(/^\d+ texts, 64 of them were in the store/);
    expect(result.student.metrics.perplexity).toBeLessThan(40);
    expect(result.teacherCalls).toBeLessThan(250);
    const page = readFileSync(place.path('runs', 'written', 'report.html'), 'utf8');
    expect(page).toContain('Texts that the teacher wrote');
    // One that is never stopped writes the same.
    await label(recipe, { ...place.options('unstopped'), storeFolder: place.path('other-store') });
    expect(await textsIn('other-store')).toEqual(await textsIn('store'));
  });

  test('is taught by texts that it writes, to the same bits after a stop', async () => {
    const recipe = recipeOf('on-policy', {
      inputs: undefined,
      outputs: { logits: { target: 'next-tokens', field: 'text', keep: 'all' } },
      teacher: { kind: 'onnx', model: 'runs/teacher/student', train: 'none' },
      student: { kind: 'gpt2', width: 24, heads: 2, layers: 1 },
      objective: { tokenDivergence: { weight: 1, divergence: 'js', clip: 8 }, tokenLabels: { weight: 0.5 } },
      training: {
        epochs: 2,
        batchSize: 16,
        optimizer: { kind: 'adamw', learningRate: 0.01 },
        onPolicy: { share: 0.5, after: 0.1, promptTokens: 3, replay: 0.5, kept: 3 },
        evaluateEvery: 8,
        earlyStopping: false,
      },
      export: { int8: false },
    });
    const whole = await distill(recipe, { ...place.options('on-policy'), baseline: false });
    const stop = new AbortController();
    const cut = distill(recipe, {
      ...place.options('on-policy-cut'),
      baseline: false,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.task === 'training' && event.done === 13) stop.abort();
      },
    });
    await expect(cut).rejects.toMatchObject({ code: 'run.interrupted' });
    await distill(recipe, { ...place.options('on-policy-cut'), baseline: false });
    const files = ['on-policy', 'on-policy-cut'].map((name) =>
      readFileSync(place.path('runs', name, 'student', 'onnx', 'model.onnx')),
    ) as [Buffer, Buffer];
    expect(files[0].equals(files[1])).toBe(true);
    expect(whole.student.metrics.perplexity).toBeLessThan(60);
    const rows = readFileSync(place.path('runs', 'on-policy', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const last = JSON.parse(rows.at(-1) as string);
    expect(last['on_policy/share']).toBeGreaterThan(0);
    expect(rows.join()).toContain('on_policy/repetition');
    const page = readFileSync(place.path('runs', 'on-policy', 'report.html'), 'utf8');
    expect(page).toContain('What the student wrote while it learned');
  });

  test('learns what the assistant says in conversations, by the template of its tokenizer', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      messages: [
        { role: 'user', content: `what does it have, number ${i}?` },
        { role: 'assistant', content: sentence(i) },
      ],
    }));
    place.write('talks.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const talks = (train: object) =>
      recipeOf('talks', {
        data: {
          source: { kind: 'jsonl', path: 'talks.jsonl', textField: 'messages' },
          splits: { validation: 5, test: 5 },
          maxLength: 64,
        },
        inputs: {
          text: { modality: 'text', field: 'messages', conversations: true, tokenizer: { train } },
        },
        outputs: { logits: { target: 'next-tokens', field: 'messages' } },
      });
    const without = talks({ kind: 'bpe', vocabulary: 512 });
    await expect(check(without, place.options('talks'))).rejects.toMatchObject({
      code: 'tokenizer.template',
    });
    const chat = talks({ kind: 'bpe', vocabulary: 512, special: ['<|im_start|>', '<|im_end|>'] });
    const { splits, samples } = await check(chat, place.options('talks'));
    expect(splits.train).toBe(50);
    expect(samples[0]?.text).toMatch(/^<\|im_start\|>user\nwhat does it have/);
  });

  test('is refused where a student would see what comes, or a loss is about classes', async () => {
    expect(() => recipeOf('sees', { student: { kind: 'text-conv' } })).toThrow(
      /each token by those before it alone.*gpt2/,
    );
    expect(() => recipeOf('kd', { objective: [{ kind: 'tokenKd', weight: 1 }] })).toThrow(/tokenKd/);
  });
});
