import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkRecipe } from '../../recipe/parse.ts';
import { textModelFolder } from '../../teachers/testing/text-model-file.ts';
import { texts } from './texts.ts';

let remove = () => {};
afterEach(() => remove());

/** Opens the texts of a recipe with an encoder that reads a prompt, and leaves it out of its vector. */
function opened(
  more: Readonly<Record<string, unknown>>,
  includePrompt = false,
): ReturnType<typeof texts.open> {
  const made = textModelFolder({ output: 'last_hidden_state', pooled: false });
  remove = made.remove;
  const files = {
    'config_sentence_transformers.json': { prompts: { query: 'a' }, default_prompt_name: 'query' },
    'modules.json': [{ type: 'sentence_transformers.models.Pooling', path: '1_Pooling' }],
    '1_Pooling/config.json': { pooling_mode: 'mean', include_prompt: includePrompt },
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(dirname(made.model), name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(content));
  }
  const recipe = checkRecipe({
    name: 'prompted',
    data: { source: { kind: 'jsonl', path: 'data.jsonl' }, maxLength: 16 },
    student: { kind: 'text-conv' },
    teacher: { kind: 'onnx', model: made.model, train: 'head' },
    ...more,
  });
  return texts.open({ recipe, options: { recipeFolder: dirname(made.model), out: '' } });
}

describe('a teacher that leaves its prompt out of its vector', () => {
  it('teaches a student of its own, which reads no prompt', async () => {
    const { teacher } = await opened({});
    expect(teacher).toMatchObject({ prompt: 'a', skipsPrompt: true });
  });

  it('is no model that a student is cut out of, before the data are read', async () => {
    const cut = { student: { kind: 'cut', layers: 1 } };
    await expect(opened(cut)).rejects.toMatchObject({
      code: 'recipe.invalid',
      message: expect.stringContaining('include_prompt: false'),
      where: expect.stringMatching(/student\.kind: cut, with the prompt 'a'/),
      remedy: expect.stringContaining("teacher.prompt to ''"),
    });
    remove();
    // Where the prompt counts, nothing of it is in the way; this model has no layers besides.
    await expect(opened(cut, true)).rejects.toMatchObject({
      message: 'the teacher has no layers that could be left out',
    });
  });
});

it('a language model reads documents from their start: a prompt is refused before the data are read', async () => {
  const made = textModelFolder({ output: 'logits', pooled: false });
  remove = made.remove;
  const recipe = checkRecipe({
    name: 'prompted',
    task: 'text-generation',
    data: { source: { kind: 'jsonl', path: 'documents.jsonl' }, maxLength: 16 },
    student: { kind: 'gpt2', width: 8, heads: 2, layers: 1 },
    teacher: { kind: 'onnx', model: made.model, prompt: 'b' },
  });
  await expect(
    texts.open({ recipe, options: { recipeFolder: dirname(made.model), out: '' } }),
  ).rejects.toMatchObject({
    code: 'recipe.invalid',
    where: expect.stringMatching(/^outputs, with the prompt 'b'/),
  });
});
