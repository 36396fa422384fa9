import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSettingsAsync, readSettingsJson } from './settings-file.ts';
import { readTokenizer } from './teachers/onnx-file.ts';
import { positionLimit } from './teachers/position-limit.ts';
import { readPreprocessorConfig } from './teachers/preprocessor-config.ts';
import { readSentenceConfig } from './teachers/sentence-config.ts';
import { readSentenceModules } from './teachers/sentence-modules.ts';
import { teacherClasses } from './teachers/teacher-classes.ts';

const folder = mkdtempSync(join(tmpdir(), 'limbeck-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A sparse file of 300 MB: reading it whole would take seconds and as much memory. */
function huge(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, '{');
  truncateSync(path, 300e6);
  return path;
}

const files = { folders: [folder] };

it.each([
  ['config.json', (path: string) => teacherClasses(path, undefined)],
  ['config.json', positionLimit],
  ['sentence_bert_config.json', () => readSentenceConfig(files)],
  ['modules.json', readSentenceModules],
  ['preprocessor_config.json', () => readPreprocessorConfig(files, 'image_processor')],
  ['tokenizer.json', (path: string) => readTokenizer(path)],
] as [string, (path: string) => unknown][])('a %s of 300 MB is refused by its size', async (name, read) => {
  const path = huge(name);
  const started = performance.now();
  await expect((async () => read(path))()).rejects.toMatchObject({
    code: 'model.settings',
    message: expect.stringMatching(/300\.0 MB: .*64\.0 MB at most/),
    where: path,
  });
  expect(performance.now() - started).toBeLessThan(1000);
  rmSync(path);
});

it('files of people are read with their mark', async () => {
  const path = join(folder, 'a.json');
  writeFileSync(path, '\uFEFF{"a": 1}');
  expect(readSettingsJson(path)).toEqual({ a: 1 });
  expect((await readSettingsAsync(path)).length).toBe(11);
});

it('says of a pointer of git-lfs what it is', () => {
  const path = join(folder, 'pointer.json');
  writeFileSync(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 1\n');
  expect(() => readSettingsJson(path)).toThrow(
    expect.objectContaining({ code: 'model.settings', message: expect.stringContaining('git-lfs pointer') }),
  );
});
