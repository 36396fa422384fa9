import { expect, test } from 'vitest';
import { CONTINUAL_METHODS } from '../../recipe/continual.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { continualStages } from '../continual/stages.ts';
import { GIVEN } from './given.ts';
import { artifacts, DISTILL, EXPORT, LABEL, STAGES, TRAIN } from './index.ts';
import { registerStage } from './register.ts';
import { withRegistered } from './registered.ts';
import { type Stage, stage } from './stage.ts';
import { stagesOf } from './stages-of.ts';

const named = (name: string, needs: object = {}): Stage =>
  stage({
    name,
    about: 'nothing',
    needs,
    title: () => 'Do nothing',
    run: async () => ({ value: undefined, summary: '' }),
    plan: async () => undefined,
  });

test.each([
  ['distill', DISTILL],
  ['train', TRAIN],
  ['label', LABEL],
  ['export', EXPORT],
  ['continual', continualStages(CONTINUAL_METHODS, true)],
  ['continual without a teacher', continualStages(['naive', 'joint'], false)],
])('every stage of %s needs what is made before it', (_, list) => {
  const made = new Set(GIVEN);
  for (const { name, needs, makes } of list) {
    for (const need of Object.values(needs) as { name: string; optional?: boolean }[])
      expect(need.optional === true || made.has(need.name), `${name} needs ${need.name}`).toBe(true);
    if (makes) made.add(makes.name);
  }
});

test('a recipe has the stages that apply, and those whose needs are made', () => {
  const recipe = parseRecipe(
    'name: a\ndata: { source: { kind: wordnet-glosses } }\nteacher: { kind: use-lite }\nstudent: { kind: text-conv }\n',
  );
  const names = (baseline: boolean) =>
    stagesOf(DISTILL, recipe, { out: '.', baseline }).map(({ name }) => name);
  expect(names(true)).toEqual(STAGES);
  expect(names(false)).toEqual(STAGES.filter((name) => name !== 'peer' && name !== 'baseline'));
  const { teacher: _, ...alone } = recipe;
  expect(stagesOf(LABEL, alone, { out: '.' }).map(({ name }) => name)).toEqual(['data']);
});

test('commands have no names of stages that distill does not have', () => {
  for (const { name } of [...TRAIN, ...LABEL, ...EXPORT, ...continualStages(CONTINUAL_METHODS, true)])
    expect(DISTILL.map((stage) => stage.name)).toContain(name);
});

test('a stage stands behind the last one of the name that it comes after, in the order of registration', () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => named(name));
  const placed = [
    { stage: one, after: 'label' },
    { stage: two, after: 'label' },
    { stage: three, after: 'one' },
  ];
  const names = withRegistered(LABEL, ...placed).map(({ name }) => name);
  expect(names).toEqual(['data', 'teacher', 'label', 'write', 'label', 'one', 'three', 'two']);
  expect(withRegistered(TRAIN, ...placed)).toEqual(TRAIN);
});

test.each([
  ['total', 'export', {}, /its name is not one/],
  ['Sums!', 'export', {}, /its name is not one/],
  ['train', 'export', {}, /there is a stage of this name/],
  ['sums', 'exports', {}, /no stage 'exports' to come after/],
  ['sums', 'data', { shipped: artifacts.shipped }, /no stage before it makes 'shipped'/],
])('a stage %s after %s is refused where it cannot be', (name, after, needs, message) => {
  expect(() => registerStage(named(name, needs), { after })).toThrow(message);
});
