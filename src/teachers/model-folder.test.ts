import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { fileOf, modelFiles } from './model-folder.ts';

let folder = '';
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function folderOf(...names: string[]): string {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-model-'));
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), '{}');
  }
  return folder;
}

function errorOf(path: string): LimbeckError {
  try {
    modelFiles(path);
  } catch (error) {
    return error as LimbeckError;
  }
  throw new Error('it was opened');
}

describe('a folder', () => {
  it.each<[string[], string]>([
    [['onnx/model.onnx', 'tokenizer.json'], 'onnx/model.onnx'],
    [['model.onnx', 'onnx/model_quantized.onnx'], 'model.onnx'],
    [['onnx/model_fp16.onnx'], 'onnx/model_fp16.onnx'],
    [['classifier.onnx', 'config.json'], 'classifier.onnx'],
  ])('with %j is %s', (names, chosen) => {
    const files = modelFiles(folderOf(...names));
    expect(relative(folder, files.model)).toBe(chosen);
    expect(files.notes).toHaveLength(names.filter((name) => name.endsWith('.onnx')).length - 1);
  });

  it('has its other files beside onnx/ or in it', () => {
    const files = modelFiles(
      folderOf('onnx/model.onnx', 'tokenizer.json', 'onnx/config.json', 'config.json'),
    );
    expect(fileOf(files, 'tokenizer.json')).toBe(join(folder, 'tokenizer.json'));
    expect(fileOf(files, 'config.json')).toBe(join(folder, 'onnx', 'config.json'));
    expect(fileOf(files, 'preprocessor_config.json')).toBeUndefined();
    // The same from the file itself.
    expect(fileOf(modelFiles(files.model), 'tokenizer.json')).toBe(join(folder, 'tokenizer.json'));
  });

  it('that is not there is told as such, before its tokenizer is missed', () => {
    const error = errorOf(join(folderOf('tokenizer.json'), 'bert-base-uncased'));
    expect(error).toMatchObject({
      code: 'model.not-found',
      where: expect.stringMatching(/bert-base-uncased$/),
      remedy: expect.stringContaining('teacher.model'),
    });
  });

  it('without an ONNX file says how to export one', () => {
    const error = errorOf(folderOf('model.safetensors', 'config.json'));
    expect(error).toMatchObject({
      code: 'teacher.model',
      message: expect.stringContaining('model.safetensors'),
    });
    expect(error.remedy).toContain('optimum-cli export onnx');
  });

  it('with several of which none is the usual one asks which', () => {
    const error = errorOf(folderOf('onnx/a.onnx', 'onnx/b.onnx'));
    expect(error).toMatchObject({ code: 'teacher.model' });
    expect(error.where).toContain('onnx/a.onnx, onnx/b.onnx');
    expect(error).toBeInstanceOf(LimbeckError);
  });
});
