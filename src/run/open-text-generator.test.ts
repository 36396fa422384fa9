import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseRecipe } from '../recipe/parse.ts';
import { stringifyRecipe } from '../recipe/write.ts';
import { RunFolder } from './folder/run-folder.ts';
import { openTextGenerator } from './open-text-generator.ts';

it('a run of another task is refused with the task, and with what asks its student', async () => {
  const run = mkdtempSync(join(tmpdir(), 'limbeck-no-writer-'));
  const recipe = parseRecipe(
    'name: a\ndata: { source: { kind: wordnet-glosses } }\nstudent: { kind: text-conv }',
  );
  new RunFolder(run, stringifyRecipe(recipe), { recipeFolder: run, storeFolder: run }).close();
  await expect(openTextGenerator(run)).rejects.toMatchObject({
    code: 'generate.model',
    message: expect.stringContaining('its task is text-classification'),
    remedy: expect.stringContaining('`limbeck eval`'),
  });
  rmSync(run, { recursive: true });
});
