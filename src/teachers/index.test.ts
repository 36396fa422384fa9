import { afterEach, describe, expect, it } from 'vitest';
import { openTeacher, TEACHERS } from './index.ts';
import { textModelFolder } from './testing/text-model-file.ts';

let remove = () => {};
afterEach(() => remove());

describe('TEACHERS', () => {
  it('opens the sentence encoder with its tokenizer', async () => {
    const options = TEACHERS[0].options.parse({});
    const source = await openTeacher({ kind: 'use-lite', ...options });
    expect(source).toMatchObject({
      embeddingOutput: 'sentence_embedding',
      embeddingWidth: 512,
      maxLength: 128,
    });
    expect(source.logitsOutput).toBeUndefined();
    expect(source.tokenizer.vocabularySize).toBe(8000);
  });

  it('opens an ONNX file', async () => {
    const { model, tokenizer, remove: removeFolder } = textModelFolder();
    remove = removeFolder;
    const options = TEACHERS[1].options.parse({ model, tokenizer });
    const source = await openTeacher({ kind: 'onnx', ...options });
    expect(source.logitsOutput).toBe('logits');
  });

  it('has a description for every option, and a default for all but the files', () => {
    for (const { kind, options } of TEACHERS) {
      expect(options.description, kind).toBeTruthy();
    }
    expect(TEACHERS[1].options.safeParse({}).success).toBe(false);
    // The tokenizer lies beside the model, or in its folder.
    expect(TEACHERS[1].options.safeParse({ model: 'folder' }).success).toBe(true);
    expect(TEACHERS[0].options.parse({})).toMatchObject({ train: 'head', precision: 'auto' });
  });
});
