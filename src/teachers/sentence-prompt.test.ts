import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { writeModel } from '../onnx/write-model.ts';
import { openOnnxFile } from './onnx-file.ts';
import { textModelFolder } from './testing/text-model-file.ts';
import { feedsFor } from './use-lite/testing/token-rows.ts';

const QUERY = { prompts: { query: 'a', passage: 'b' }, default_prompt_name: 'query' };

let remove = () => {};
afterEach(() => remove());

/** An encoder whose tokens i have the vectors [i, 2 i, 1], with such files beside it. */
function encoderWith(files: Readonly<Record<string, object | string>>): string {
  const made = textModelFolder({ output: 'last_hidden_state', pooled: false });
  remove = made.remove;
  for (const [name, content] of Object.entries(files)) {
    const path = join(dirname(made.model), name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return made.model;
}

function open(model: string, prompt?: string) {
  return openOnnxFile({ model, train: 'none', answers: 'any', prompt });
}

function prompted(config: object | string, prompt?: string) {
  return open(encoderWith({ 'config_sentence_transformers.json': config }), prompt);
}

function pooledBy(pooling: object) {
  return {
    'config_sentence_transformers.json': QUERY,
    'modules.json': ['Transformer', 'Pooling'].map((type, i) => ({
      path: ['', '1_Pooling'][i],
      type: `sentence_transformers.models.${type}`,
    })),
    '1_Pooling/config.json': { word_embedding_dimension: 3, ...pooling },
  };
}

async function vectorOf(pooling: object, rows: number[][], train: 'none' | 'head' = 'none') {
  const file = encoderWith(pooledBy(pooling));
  // The head of a classifier reads the same vector.
  const answers = train === 'none' ? 'any' : 'class';
  const { model } = await openOnnxFile({ model: file, train, answers });
  const session = await createNodeEngine().load(writeModel(model));
  const outputs = await session.run(feedsFor(rows));
  await session.release();
  return Array.from(outputs.sentence_embedding?.data as Float32Array);
}

describe('the prompt of a teacher', () => {
  it('is the default one of its files, and told', async () => {
    const { prompt, notes } = await prompted(QUERY);
    expect(prompt).toBe('a');
    expect(notes?.join()).toContain(
      "reads 'a' before each text, as config_sentence_transformers.json says (default_prompt_name: query)",
    );
  });

  it('is none where the files have no default, which is told with those that there are', async () => {
    const { prompt, advice } = await prompted({ ...QUERY, default_prompt_name: null });
    expect(prompt).toBeUndefined();
    expect(advice?.join()).toContain("has query ('a'), passage ('b'), and none by default");
  });

  it.each([
    [{ ...QUERY, prompts: { query: '', passage: 'b' } }],
    [{ prompts: { query: '', document: '' }, default_prompt_name: null }],
    [{ prompts: {}, default_prompt_name: null }],
    [{ __version__: { sentence_transformers: '2.0.0' } }],
  ])('is none, with nothing to tell: %j', async (config) => {
    const { prompt, notes = [], advice = [] } = await prompted(config);
    expect(prompt).toBeUndefined();
    expect([...notes, ...advice].join()).not.toContain('prompt');
  });

  it('is the one of the recipe, before that of its files', async () => {
    expect((await prompted(QUERY, 'b')).prompt).toBe('b');
    const none = await prompted(QUERY, '');
    expect(none.prompt).toBeUndefined();
    expect(none.notes?.join()).not.toContain('prompt');
    // Who wants none does not depend on the file.
    expect((await prompted('[', '')).prompt).toBeUndefined();
  });

  it.each([
    ['[1,', 'it is not JSON'],
    ['[]', 'it is not an object'],
    [{ prompts: ['query: '] }, 'its prompts are not an object of names and texts'],
    [{ prompts: { query: 3 } }, "its prompt 'query' is not a text"],
    [{ ...QUERY, default_prompt_name: true }, 'its default_prompt_name is neither'],
    [
      { ...QUERY, default_prompt_name: 'document' },
      "its default_prompt_name is 'document', and its prompts are query, passage",
    ],
    [{ default_prompt_name: 'query' }, 'its prompts are none'],
    [{ prompts: {}, default_prompt_name: 'toString' }, "its default_prompt_name is 'toString'"],
  ])('is refused in words where its file is damaged: %j', async (config, message) => {
    await expect(prompted(config)).rejects.toMatchObject({
      code: 'teacher.config',
      message: expect.stringContaining(message),
      where: expect.stringContaining('config_sentence_transformers.json'),
    });
  });

  it('is refused where a recipe has its name for its text, and where it leaves no place for texts', async () => {
    await expect(prompted(QUERY, 'passage')).rejects.toMatchObject({
      code: 'recipe.invalid',
      remedy: expect.stringContaining("prompt: 'b'"),
    });
    await expect(prompted(QUERY, 'b'.repeat(600))).rejects.toMatchObject({
      message: expect.stringContaining('leaves no place for a text'),
    });
  });
});

describe('the vector of a text with a prompt', () => {
  // Padding, or three tokens of which the first one is the prompt (a).
  const rows = [
    [2, 3, 1],
    [2, 1],
  ];

  it.each([
    [{ pooling_mode_mean_tokens: true }, [2, 4, 1, 1.5, 3, 1]],
    [{ pooling_mode_mean_tokens: true, include_prompt: false }, [2, 4, 1, 1, 2, 1]],
    [{ pooling_mode: 'mean', include_prompt: false }, [2, 4, 1, 1, 2, 1]],
    [{ pooling_mode: 'max', include_prompt: false }, [3, 6, 1, 1, 2, 1]],
    [{ pooling_mode: 'lasttoken', include_prompt: false }, [1, 2, 1, 1, 2, 1]],
  ])('is made of the tokens that its pooling counts: %j', async (pooling, expected) => {
    expect(await vectorOf(pooling, rows)).toEqual(expected);
  });

  it('is what a head reads that is trained on it', async () => {
    const pooling = { pooling_mode: 'max', include_prompt: false };
    expect(await vectorOf(pooling, rows, 'head')).toEqual([3, 6, 1, 1, 2, 1]);
  });

  it('is another one for a head where it cannot be made so, which is told', async () => {
    const model = encoderWith(pooledBy({ pooling_mode: 'weightedmean' }));
    const { notes, embeddingOutput } = await openOnnxFile({ model, train: 'head', answers: 'class' });
    expect(embeddingOutput).toBe('sentence_embedding');
    expect(notes?.join()).toMatch(/pools by weightedmean, .*: the head reads another vector/);
  });

  it('is refused where versions of sentence-transformers differ, and for other ways of pooling', async () => {
    const error = open(encoderWith(pooledBy({ pooling_mode: 'cls', include_prompt: false })));
    await expect(error).rejects.toMatchObject({ message: expect.stringContaining('include_prompt: false') });
    remove();
    const other = open(encoderWith(pooledBy({ pooling_mode: ['weightedmean'] })));
    await expect(other).rejects.toMatchObject({
      message: expect.stringContaining('it pools by weightedmean'),
    });
    remove();
    const both = open(encoderWith(pooledBy({ pooling_mode: ['cls', 'mean'] })));
    await expect(both).rejects.toMatchObject({ message: expect.stringContaining('2 ways of pooling') });
  });
});
