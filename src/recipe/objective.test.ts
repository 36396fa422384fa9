import { describe, expect, test } from 'vitest';
import {
  knowledgeRequests,
  objectiveTerms,
  weighedKinds,
  weighedOptions,
  withOptions,
} from '../objectives/index.ts';
import { parseRecipe } from './parse.ts';
import { stringifyRecipe } from './write.ts';

const minimal = `name: listed
data: { source: { kind: wordnet-glosses } }
teacher: { kind: use-lite }
student: { kind: text-conv }
`;
const parsed = (text: string) => parseRecipe(minimal + text);
const context = { classes: 3 };

describe('an objective that is a list', () => {
  const list = `objective:
  - { kind: labels }
  - { kind: kd, weight: 0.5, temperature: 3 }
  - { kind: kd, output: embedding, temperature: 1 }
  - { kind: mlkd, weight: 0 }
`;

  test('has its terms in its order, each named by its kind and its output', () => {
    const { objective } = parsed(list);
    const terms = objectiveTerms(objective, context);
    expect(terms.map(({ name, weight }) => [name, weight])).toEqual([
      ['labels', 1],
      ['kd', 0.5],
      ['kd/embedding', 1],
    ]);
    expect(weighedKinds(objective).map(({ kind }) => kind)).toEqual(['labels', 'kd']);
    expect(weighedOptions(objective, 'kd').map(({ temperature }) => temperature)).toEqual([3, 1]);
    expect(knowledgeRequests(objective, context)).toEqual([]);
  });

  test('weighs what it names, and nothing else', () => {
    expect(parsed('objective: [{ kind: kd }]\n').objective).toEqual([
      { kind: 'kd', weight: 1, temperature: 'auto', decay: 'constant', standardize: false, assistant: 0 },
    ]);
  });

  test('names the main output by its name as well', () => {
    const { objective } = parsed(list);
    expect(() => objectiveTerms(objective, { ...context, mainOutput: 'embedding' })).toThrow(
      /'kd' is there twice/,
    );
  });

  test('is written and read again as it is', () => {
    const recipe = parsed(list);
    expect(parseRecipe(stringifyRecipe(recipe))).toEqual(recipe);
  });

  test('is changed kind by kind', () => {
    const { objective } = parsed(list);
    const softened = withOptions(objective, 'kd', (kd) => ({ ...kd, temperature: 9 }));
    expect(weighedOptions(softened, 'kd').map(({ temperature }) => temperature)).toEqual([9, 9]);
    expect(weighedOptions(objective, 'kd').map(({ temperature }) => temperature)).toEqual([3, 1]);
    const map = withOptions(parsed('').objective, 'kd', (kd) => ({ ...kd, temperature: 9 }));
    expect(map).toMatchObject({ kd: { temperature: 9, weight: 0.7 }, labels: { weight: 0.1 } });
  });

  test('gives stages its terms, by kind and by output', () => {
    expect(parsed(`${list}stages: [{ name: a, objectives: [kd/embedding] }]\n`).stages).toMatchObject([
      { objectives: ['kd/embedding'] },
    ]);
    expect(() => parsed(`${list}stages: [{ name: a, objectives: [kd/boxes] }]\n`)).toThrow(
      /all weights of the stage 'a' are 0/,
    );
  });
});

test('a term that is there twice is told with its place', () => {
  try {
    parsed('objective:\n  - { kind: kd }\n  - { kind: labels }\n  - { kind: kd }\n');
    expect.fail('it was accepted');
  } catch (error) {
    expect(error).toMatchObject({ where: 'the recipe:8:5' });
  }
});

test.each([
  [
    'objective: [{ kind: kd }, { kind: labels }, { kind: kd }]\n',
    /objective\[2\]: kd of the main output is there twice/,
  ],
  [
    'objective: [{ kind: kd, output: a }, { kind: kd, output: a }]\n',
    /objective\[1\]: kd of the output a is there twice/,
  ],
  ['objective: []\n', /objective: /],
  ['objective: [{ kind: kd, weight: 0 }]\n', /all weights are 0/],
  ['objective: [{ kind: kdd }]\n', /objective\[0\].kind: .*'kd'/],
  ['objective: [{ kind: kd, temprature: 2 }]\n', /objective\[0\].temprature: unknown key/],
  ['objective: [{ kind: mlkd, instance: 0, batch: 0, class: 0 }]\n', /all levels are 0/],
  ['objective: [{ weight: 1 }]\n', /objective\[0\]/],
  ['objective: { output: { weight: 1 } }\n', /objective.output.output/],
])('%s is refused', (text, message) => {
  expect(() => parsed(text)).toThrow(message);
});
