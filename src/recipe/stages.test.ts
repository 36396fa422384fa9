import { expect, test } from 'vitest';
import { parseRecipe } from './parse.ts';
import { stageEpochs } from './stages.ts';

const minimal = `name: staged
data:
  source: { kind: wordnet-glosses }
teacher: { kind: use-lite }
student: { kind: text-conv }
`;
const parsed = (text: string) => parseRecipe(minimal + text);

test('stages, curriculum and following samples have defaults', () => {
  const { stages, training } = parsed('');
  expect(stages).toBe(false);
  expect(training.curriculum).toEqual({ kind: 'none' });
  expect(training.dynamics).toEqual({ weigh: false });
  const text =
    'stages:\n  - { name: a, objectives: [kd] }\n  - { name: b, objectives: [kd, labels], until: plateau }\n';
  expect(parsed(text).stages).toEqual([
    { name: 'a', objectives: ['kd'], until: 'epochs', patience: 3 },
    { name: 'b', objectives: ['kd', 'labels'], until: 'plateau', patience: 3 },
  ]);
  expect(parsed('stages: progressive\n').stages).toBe('progressive');
  expect(parsed('training: { curriculum: { kind: dynamics } }\n').training.curriculum).toEqual({
    kind: 'dynamics',
    start: 0.3,
  });
});

test.each([
  ['stages: progresive\n', /stages: .*progressive/],
  ['stages: [{ name: a, objectives: [kdd] }]\n', /stages\[0\].objectives\[0\]: expected one of 'kd', 'dkd'/],
  [
    'stages: [{ name: a, objectives: [kd] }, { name: a, objectives: [kd] }]\n',
    /a name of a stage is there twice/,
  ],
  [
    'objective: { kd: { weight: 0 } }\nstages: [{ name: a, objectives: [kd] }]\n',
    /stages\[0\].objectives: all weights of the stage 'a' are 0/,
  ],
  [
    'stages: [{ name: a, objectives: [kd], epochs: 8 }, { name: b, objectives: [kd] }]\n',
    /stages: the stages ask for 8 epochs of 8: nothing is left for the others/,
  ],
  [
    'stages: [{ name: a, objectives: [kd], epochs: 9 }]\n',
    /stages: the stages ask for 9 epochs of 8: the last ones would not come/,
  ],
  ['training: { curriculum: { kind: dynamic } }\n', /training.curriculum.kind: .*'dynamics'/],
  ['training: { curriculum: { kind: dynamics, start: 0 } }\n', /training.curriculum.start/],
  [
    'training: { curriculum: { kind: dynamics }, dynamics: false }\n',
    /training.dynamics: the curriculum dynamics follows samples/,
  ],
])('%s is refused', (text, message) => {
  expect(() => parsed(text)).toThrow(message);
});

test('stages that do not say their epochs share what is left', () => {
  expect(stageEpochs([{}, {}, {}], 9)).toEqual([3, 3, 3]);
  expect(stageEpochs([{}, { epochs: 5 }, {}], 8)).toEqual([1.5, 5, 1.5]);
  expect(stageEpochs([{ epochs: 1 }, { epochs: 2 }], 8)).toEqual([1, 2]);
});
