import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { LimbeckError } from '../../errors.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { ModelHub } from '../../teachers/testing/model-hub.ts';
import { textModelFolder } from '../../teachers/testing/text-model-file.ts';
import { openRecipeTeacher } from './open-teacher.ts';

const NAME = 'someone/small-bert';
const newFolder = temporaryFolders();
let hub: ModelHub;

beforeEach(async () => {
  hub = new ModelHub(NAME);
  vi.stubEnv('HF_ENDPOINT', await hub.start());
  vi.stubEnv('HF_HOME', await newFolder());
  vi.stubEnv('HF_HUB_CACHE', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  return hub.stop();
});

function layOut(config: object, model: Parameters<typeof textModelFolder>[0] = {}): void {
  const made = textModelFolder(model);
  hub.files.set('onnx/model.onnx', readFileSync(made.model));
  hub.files.set('tokenizer.json', readFileSync(made.tokenizer));
  hub.files.set('config.json', Buffer.from(JSON.stringify(config)));
  made.remove();
}

async function open(more: object = {}) {
  const { teacher, ...rest } = more as { teacher?: object };
  const recipe = parseRecipe(
    stringify({
      name: 'hub',
      data: { source: { kind: 'jsonl', path: 'data.jsonl' } },
      student: { kind: 'text-conv' },
      objective: { kd: { weight: 1 } },
      ...rest,
      teacher: { kind: 'hub', model: NAME, ...teacher },
    }),
  );
  return openRecipeTeacher({
    recipe: recipe as never,
    options: { storeFolder: join(await newFolder(), 'store') },
  });
}

describe('a teacher of a hub', () => {
  it('has the classes of its configuration, its own tokenizer, and tells what it is', async () => {
    layOut({
      architectures: ['BertForSequenceClassification'],
      id2label: { 0: 'bad', 1: 'fair', 2: 'good' },
    });
    const source = await open();
    expect(source).toMatchObject({
      title: NAME,
      logitsOutput: 'logits',
      classes: { names: ['bad', 'fair', 'good'] },
    });
    expect(source.tokenizer.encode('ab')).toEqual([2, 3]);
    expect(source.origin).toContainEqual(
      `${NAME} is a model for text-classification (BertForSequenceClassification)`,
    );
  });

  it('is a sentence encoder by its modules.json, pooled as its files say', async () => {
    layOut({ architectures: ['MPNetModel'] }, { output: 'last_hidden_state', pooled: false });
    const json = (value: unknown) => Buffer.from(JSON.stringify(value));
    const modules = ['Transformer', 'Pooling', 'Normalize'].map((type, i) => ({
      idx: i,
      name: `${i}`,
      path: ['', '1_Pooling', '2_Normalize'][i],
      type: `sentence_transformers.models.${type}`,
    }));
    hub.files.set('modules.json', json(modules));
    hub.files.set(
      '1_Pooling/config.json',
      json({ word_embedding_dimension: 3, pooling_mode_cls_token: true }),
    );
    const source = await open({ task: 'feature-extraction' });
    expect(source.model.outputs).toMatchObject([{ name: 'sentence_embedding', shape: ['batch', 3] }]);
    expect(source.notes).toContainEqual(
      expect.stringContaining('the first of those of the tokens, brought to length 1'),
    );
  });

  it.each([
    [{ architectures: ['T5ForConditionalGeneration'] }, 'a task that no teacher here has'],
    [
      { architectures: ['ViTForImageClassification'], model_type: 'vit' },
      'the model reads image, the recipe text',
    ],
    [
      { architectures: ['BertForSequenceClassification'], problem_type: 'multi_label_classification' },
      'several classes at once, the recipe with one class',
    ],
  ])('that is for something else is refused: %j', async (config, message) => {
    layOut(config);
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LimbeckError);
    expect(error).toMatchObject({ code: 'teacher.task', message: expect.stringContaining(message) });
    expect((error as LimbeckError).where).toContain(NAME);
    // Weights may take gigabytes.
    expect(hub.downloads).not.toContain('onnx/model.onnx');
    // Who names the output has looked.
    await expect(open({ teacher: { output: 'logits' } })).resolves.toMatchObject({ logitsOutput: 'logits' });
  });

  it.each([
    [{ prompts: { query: 3 } }, {}, "its prompt 'query' is not a text"],
    [{ prompts: { query: 'find: ' } }, { prompt: 'query' }, 'which is the name of a prompt'],
  ])(
    'whose prompts cannot be read is refused before its weights are downloaded: %j, %j',
    async (config, teacher, message) => {
      layOut({ architectures: ['BertForSequenceClassification'] });
      hub.files.set('config_sentence_transformers.json', Buffer.from(JSON.stringify(config)));
      await expect(open({ teacher })).rejects.toMatchObject({ message: expect.stringContaining(message) });
      expect(hub.downloads).toContain('config_sentence_transformers.json');
      expect(hub.downloads).not.toContain('onnx/model.onnx');
    },
  );

  it('without a tokenizer.json is refused before its weights are downloaded', async () => {
    layOut({ architectures: ['BertForSequenceClassification'] });
    hub.files.delete('tokenizer.json');
    hub.files.set('vocab.txt', Buffer.from('[PAD]'));
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'tokenizer.missing',
      remedy: expect.stringContaining('Make it of vocab.txt'),
    });
    expect(hub.downloads).not.toContain('onnx/model.onnx');
  });
});
