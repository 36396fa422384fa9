import { expect, test } from 'vitest';
import { keySteps, keyText } from './key-path.ts';
import { parseRecipe, readRecipe } from './parse.ts';

const RECIPE = `name: a
data: { source: { kind: jsonl, path: a.jsonl } }
teacher: { kind: use-lite }
student:
  kind: text-conv
  width: 8
compress:
  - { kind: qat }
outputs:
  logits: { target: class, field: label }
`;

test.each([
  ['student.width', 'r.yaml:6:3, student.width'],
  ['student.kernel', 'r.yaml:4:1, student.kernel'],
  ['student, of kind: text-conv', 'r.yaml:4:1, student, of kind: text-conv'],
  ['student.kind: text-conv', 'r.yaml:5:3, student.kind: text-conv'],
  ['compress[0].bits', 'r.yaml:8:5, compress[0].bits'],
  ['outputs.logits', 'r.yaml:10:3, outputs.logits'],
  ['data', 'r.yaml:2:1, data'],
  ['data.maxLength, for x', 'r.yaml:2:1, data.maxLength, for x'],
  ['training.accumulate', 'r.yaml, training.accumulate'],
  ['training.epochs', '--set training.epochs, training.epochs'],
])('%s stands in its recipe', (where, located) => {
  const { places } = readRecipe(RECIPE, { file: 'r.yaml' });
  const { places: overridden } = readRecipe(RECIPE, { file: 'r.yaml', overrides: ['training.epochs=3'] });
  expect((where === 'training.epochs' ? overridden : places).located(where)).toBe(located);
});

const TERMS = 'objective:\n  - { kind: kd }\n  - { kind: hidden, weight: 0.1 }\n';

test.each([
  ['objective.hidden.weight', TERMS, 'r.yaml:13:21, objective.hidden.weight'],
  [
    'objective.hidden; layers of the student: a',
    TERMS,
    'r.yaml:13:5, objective.hidden; layers of the student: a',
  ],
  ['objective hidden, of which x', TERMS, 'r.yaml:13:5, objective hidden, of which x'],
  ['objective hidden.weight', TERMS, 'r.yaml:13:21, objective hidden.weight'],
  ['objective hidden/logits, x', TERMS, 'r.yaml:13:5, objective hidden/logits, x'],
  [
    'objective kd.temperature',
    'objective: { kd: { weight: 1 } }\n',
    'r.yaml:11:14, objective kd.temperature',
  ],
  ['objective kd.temperature', TERMS, 'r.yaml:12:5, objective kd.temperature'],
  ['objective output:loss: x', TERMS, 'objective output:loss: x'],
  ['objective.kd: x', `${TERMS}  - { kind: kd, output: logits }\n`, 'r.yaml:11:1, objective.kd: x'],
])('%s stands in a list of terms', (where, terms, located) => {
  expect(readRecipe(RECIPE + terms, { file: 'r.yaml' }).places.located(where)).toBe(located);
});

test.each([
  ['objective mse, x', 'r.yaml:6:5, objective mse, x'],
  ['objective mse/b.weight', 'r.yaml:7:18, objective mse/b.weight'],
  ['objective mse/c, x', 'r.yaml:5:1, objective mse/c, x'],
])('%s is one of several terms of a kind, by its output', (where, located) => {
  const recipe = `name: a
data: { source: { kind: jsonl, path: a.jsonl } }
student: { kind: text-conv }
outputs: { a: { target: number, field: a }, b: { target: number, field: b } }
objective:
  - { kind: mse }
  - { kind: mse, weight: 1, output: b }
`;
  expect(readRecipe(recipe, { file: 'r.yaml' }).places.located(where)).toBe(located);
});

test('what transforms cannot be with the rest of a recipe is told with their place in the list', () => {
  const several = RECIPE.replace('target: class,', 'target: classes,');
  expect(() => parseRecipe(several.replace('kind: qat', 'kind: exits, after: 1'))).toThrow(
    /^compress\[0\]: exits/,
  );
});

test.each([
  'a.jsonl:12',
  'data.noun:40312',
  "data file 'weights'",
  'data/train.csv',
  'data.source.csv',
  'inputs: input_ids',
  'inputs of the model: x',
  'training step 4',
  'student.zzz',
  'teacher: float32[2]',
])('%s is no key of a recipe', (where) => {
  expect(readRecipe(RECIPE, { file: 'r.yaml' }).places.located(where)).toBe(where);
});

test('key paths are written in one form, and read in both', () => {
  expect(keyText(['compress', 0, 'kind'])).toBe('compress[0].kind');
  for (const text of ['compress[0].kind', 'compress.0.kind'])
    expect(keySteps(text)).toEqual(['compress', 0, 'kind']);
  for (const text of ['', '.a', 'a.', 'a..b', 'a[b]', '[0]']) expect(keySteps(text)).toBeUndefined();
});

test.each(['compress[0].kind=zzz', 'compress.0.kind=zzz'])(
  'a value of a list is set by %s, and told as set',
  (set) => {
    expect(() => parseRecipe(RECIPE, { file: 'r.yaml', overrides: [set] })).toThrow(
      expect.objectContaining({
        where: '--set compress[0].kind',
        message: expect.stringMatching(/^compress\[0\]\.kind: /),
      }),
    );
  },
);
