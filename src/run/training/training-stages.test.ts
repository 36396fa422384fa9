import { expect, test } from 'vitest';
import { objectiveTerms } from '../../objectives/index.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { trainingStages } from './training-stages.ts';

const stagesOf = (text: string) => {
  const recipe = parseRecipe(`name: staged
data: { source: { kind: wordnet-glosses } }
teacher: { kind: use-lite }
student: { kind: text-conv }
${text}`);
  const terms = objectiveTerms(recipe.objective, { classes: 3 });
  const stages = trainingStages(recipe, { name: 'train', terms, steps: 800 });
  return stages?.map(({ terms: own, ...rest }) => ({ ...rest, terms: own.map(({ name }) => name) }));
};

test('a training without stages is one', () => {
  expect(stagesOf('')).toBeUndefined();
});

test('stages split the steps of the training by their epochs, and take their terms', () => {
  const text = `stages:
  - { name: answers, objectives: [kd], epochs: 2 }
  - { name: both, objectives: [labels, kd], until: plateau, patience: 4 }
  - { name: labels, objectives: [labels] }
`;
  expect(stagesOf(text)).toEqual([
    { name: 'answers', terms: ['kd'], steps: 200 },
    { name: 'both', terms: ['kd', 'labels'], steps: 300, plateau: 4 },
    { name: 'labels', terms: ['labels'], steps: 300 },
  ]);
});

test('one stage alone leaves out what it does not name', () => {
  expect(stagesOf('stages: [{ name: answers, objectives: [kd] }]\n')).toEqual([
    { name: 'answers', terms: ['kd'], steps: 800 },
  ]);
});

test('progressive has the stages for which there are terms', () => {
  expect(stagesOf('stages: progressive\n')).toEqual([
    { name: 'answers', terms: ['kd', 'labels'], steps: 800 },
  ]);
});

test('a stage without a term that fits the pair is told', () => {
  const text = 'stages: [{ name: inner, objectives: [featureMse] }]\n';
  expect(() => stagesOf(text)).toThrow(/the stage 'inner' has no term that fits/);
});
