import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { identityModel } from '../engine/identity-model.ts';
import { checkRecipe } from '../recipe/parse.ts';
import { evaluate } from './evaluate.ts';

const recipe = checkRecipe({
  name: 'none',
  data: { source: { kind: 'jsonl', path: 'none.jsonl' } },
  student: { kind: 'text-conv' },
});

it('refuses a model that the engine cannot load before the data are looked at', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-evaluate-'));
  const model = join(folder, 'model.onnx');
  const bytes = identityModel();
  // The last byte is the version of the operators.
  bytes[bytes.length - 1] = 99;
  writeFileSync(model, bytes);
  await expect(evaluate(recipe, { model })).rejects.toMatchObject({
    code: 'engine.load',
    message: expect.stringContaining('it is of opset 99'),
  });
  rmSync(folder, { recursive: true });
});

it('tells a run without a student from a model file that is not there', async () => {
  await expect(evaluate(recipe, { out: '/nowhere/run' })).rejects.toMatchObject({ code: 'export.missing' });
  await expect(evaluate(recipe, { model: '/nowhere/model.onnx' })).rejects.toMatchObject({
    code: 'model.not-found',
    where: '/nowhere/model.onnx',
  });
});
