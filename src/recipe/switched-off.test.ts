import { expect, it } from 'vitest';
import { type SchemaNode, schemaAt } from './expectation.ts';
import { parseRecipe } from './parse.ts';
import { recipeJsonSchema, sharedJsonSchema } from './schema.ts';

const recipe = `name: lm
task: text-generation
data: { source: { kind: jsonl, path: a.jsonl }, written: { part: 1 } }
inputs: { text: { modality: text, field: text } }
outputs: { logits: { target: next-tokens, field: text } }
teacher: { kind: onnx, model: teacher, train: none }
student: { kind: gpt2, width: 8, heads: 2, layers: 1 }
training: { onPolicy: { share: 0.5 } }
`;

const set = (...overrides: string[]) => parseRecipe(recipe, { overrides });

it('sections that may be left out are left out by false, in the file and with --set', () => {
  expect(set().training.onPolicy).toMatchObject({ share: 0.5 });
  expect(set('training.onPolicy=false').training.onPolicy).toBeUndefined();
  const off = set('training.onPolicy=false', 'data.written=false', 'teacher=false', 'export.gate=false');
  expect([off.data.written, off.teacher, off.export.gate]).toEqual([undefined, undefined, undefined]);
  // Without a teacher no loss is towards one.
  expect(off.objective).toEqual([expect.objectContaining({ kind: 'tokenLabels' })]);
  expect(set('continual=false').continual).toBeUndefined();
  expect(
    parseRecipe(`${recipe}compress: [{ kind: qat }]\n`, { overrides: ['compress=false'] }).compress,
  ).toBe(undefined);
});

it('what does nothing by default is so by false, and what has a form of its own for it takes that', () => {
  const { training, weighting, baseline } = set(
    'training.curriculum=false',
    'weighting=false',
    'baseline=false',
    'training.maxGradNorm=false',
    'training.accumulate=false',
  );
  expect(training).toMatchObject({ curriculum: { kind: 'none' }, maxGradNorm: false });
  expect(training.accumulate).toBeUndefined();
  expect([weighting, baseline]).toEqual([{ kind: 'fixed' }, false]);
});

it('what has a default is not switched off by it, and true switches nothing on', () => {
  expect(() => set('training.schedule=false')).toThrow(/training\.schedule: expected a section/);
  expect(() => set('outputs=false')).toThrow(/outputs: expected a section/);
  expect(() => set('training.onPolicy=true')).toThrow(/training\.onPolicy: expected a section/);
});

it('editors know of it', () => {
  const nodeAt = (schema: SchemaNode, ...path: string[]) => schemaAt(schema, path.slice(0, -1), {});
  const text = JSON.stringify(recipeJsonSchema());
  expect(text).not.toContain('switchable');
  expect(JSON.stringify(sharedJsonSchema())).toContain('switchable');
  const training = nodeAt(recipeJsonSchema(), 'training', 'onPolicy')?.properties?.onPolicy as SchemaNode;
  expect(training.anyOf?.[0]).toEqual({ const: false });
  expect(training.description).toMatch(/^On-policy distillation/);
});
