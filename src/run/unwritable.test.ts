import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRecipe } from '../recipe/parse.ts';
import { compile } from './compile.ts';
import { differentiate } from './differentiate.ts';
import { distill } from './distill.ts';
import { label } from './label.ts';
import { plan } from './plan.ts';
import { train } from './train.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-unwritable-'));
  writeFileSync(join(folder, 'file'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

// The data are not there: had they been looked at, the error would be about them.
const recipe = (teacher = '') =>
  parseRecipe(`
name: mails
data: { source: { kind: csv, path: none.csv } }
student: { kind: text-conv }
${teacher}`);
const taught = recipe('teacher: { kind: use-lite }');
const options = (places: { out?: string; store?: string }) => ({
  out: join(folder, places.out ?? 'run'),
  storeFolder: places.store ?? join(folder, 'store'),
  recipeFolder: folder,
});

describe('refused before the data are looked at:', () => {
  it("a run's folder that cannot be made", async () => {
    const error = {
      code: 'run.write',
      where: join(folder, 'file/run'),
      remedy: expect.stringMatching('--out'),
    };
    for (const command of [distill, label, plan])
      await expect(command(taught, options({ out: 'file/run' }))).rejects.toMatchObject(error);
    await expect(train(recipe(), options({ out: 'file/run' }))).rejects.toMatchObject(error);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('the place of a store and of prepared data that cannot be made', async () => {
    const store = join(folder, 'file/store');
    for (const command of [distill, label, plan])
      await expect(command(taught, options({ store }))).rejects.toMatchObject({ code: 'store.not-a-folder' });
    writeFileSync(join(folder, 'data'), '');
    await expect(train(recipe(), options({}))).rejects.toMatchObject({ code: 'data.unwritable' });
  });

  it.skipIf(process.platform !== 'linux')('a store that takes no files', async () => {
    for (const command of [distill, label, plan])
      await expect(command(taught, options({ store: '/proc' }))).rejects.toMatchObject({
        code: 'store.read-only',
        where: '/proc',
      });
  });

  it('the files of `compile` and `grad`', async () => {
    const out = join(folder, 'file/step.onnx');
    const error = { code: 'model.write', message: expect.stringContaining("file' is not a folder") };
    const objectives = [{ kind: 'labels' as const }];
    await expect(compile('none.onnx', { objectives, out })).rejects.toMatchObject(error);
    await expect(differentiate('none.onnx', { loss: 'loss', out })).rejects.toMatchObject(error);
  });
});
