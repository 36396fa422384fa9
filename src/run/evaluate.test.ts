import { expect, it } from 'vitest';
import { checkRecipe } from '../recipe/parse.ts';
import { evaluate } from './evaluate.ts';

const recipe = checkRecipe({
  name: 'none',
  data: { source: { kind: 'jsonl', path: 'none.jsonl' } },
  student: { kind: 'text-conv' },
});

it('tells a run without a student from a model file that is not there', async () => {
  await expect(evaluate(recipe, { out: '/nowhere/run' })).rejects.toMatchObject({ code: 'export.missing' });
  await expect(evaluate(recipe, { model: '/nowhere/model.onnx' })).rejects.toMatchObject({
    code: 'model.not-found',
    where: '/nowhere/model.onnx',
  });
});
