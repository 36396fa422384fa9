import { describe, expect, test } from 'vitest';
import { LimbeckError } from '../errors.ts';
import type { ObjectiveMap } from '../objectives/index.ts';
import { wantedPrecisions } from './export.ts';
import { checkRecipe, parseRecipe } from './parse.ts';
import { RecipeError } from './problems.ts';

const minimal = `name: glosses
data:
  source: { kind: wordnet-glosses }
teacher: { kind: use-lite }
student: { kind: text-conv }
`;

function errorOf(text: string, overrides?: string[]): RecipeError {
  try {
    parseRecipe(text, { file: 'recipe.yaml', overrides });
  } catch (error) {
    if (error instanceof RecipeError) return error;
    throw error;
  }
  throw new Error('the recipe was accepted');
}

describe('a recipe that is right', () => {
  test('gets every default', () => {
    const recipe = parseRecipe(minimal);
    expect(recipe.seed).toBe(1);
    expect(recipe.objective).toMatchObject({
      kd: { weight: 0.7, temperature: 'auto' },
      featureMse: { weight: 0.3 },
      labels: { weight: 0.1 },
      hidden: { weight: 0 },
    });
    // With a section of its own, a recipe says what it weighs.
    const own = parseRecipe(`${minimal}objective: { kd: { weight: 0.5 } }\n`).objective as ObjectiveMap;
    expect([own.kd.weight, own.labels.weight, own.featureMse.weight]).toEqual([0.5, 0.1, 0]);
    const { kd, labels, featureMse, ...others } = recipe.objective as ObjectiveMap;
    expect(Object.values(others).map(({ weight }) => weight)).toEqual(Object.keys(others).map(() => 0));
    expect(recipe.weighting).toEqual({ kind: 'fixed' });
    expect(recipe.training.optimizer.learningRate).toBe(3e-3);
    expect(recipe.data.buckets).toEqual([16, 24, 32, 48, 64]);
    expect(recipe.export).toEqual({
      int8: { maxDrop: 0.01 },
      q4: false,
      fp16: false,
      license: 'other',
      languages: [],
    });
  });

  test('names any of the optimizers, each with its own options and defaults', () => {
    const optimizerOf = (text: string) =>
      parseRecipe(`${minimal}\ntraining: { optimizer: ${text} }\n`).training.optimizer;
    expect(optimizerOf('{ kind: sgd, nesterov: true }')).toEqual({
      kind: 'sgd',
      learningRate: 0.1,
      weightDecay: 5e-4,
      momentum: 0.9,
      nesterov: true,
    });
    expect(optimizerOf('{ kind: lion }')).toMatchObject({ kind: 'lion', beta2: 0.99 });
    expect(() => optimizerOf('{ kind: lion, momentum: 0.9 }')).toThrow('momentum');
    expect(() => optimizerOf('{ kind: sdg }')).toThrow('sgd');
  });

  test('computes batches in parts that are equal', () => {
    expect(parseRecipe(`${minimal}training: { accumulate: 4 }\n`).training.accumulate).toBe(4);
    expect(parseRecipe(minimal).training).not.toHaveProperty('accumulate');
    expect(() => parseRecipe(`${minimal}training: { accumulate: 3 }\n`)).toThrow(
      /training.accumulate: expected a number that divides batchSize/,
    );
  });

  test('is unchanged by being checked again', () => {
    const recipe = parseRecipe(minimal);
    expect(checkRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  });

  test('needs no teacher, and may leave int8 and early stopping out', () => {
    const text = minimal.replace(
      /teacher.*\n/,
      'export: { int8: false }\ntraining: { earlyStopping: false }\n',
    );
    const recipe = parseRecipe(text);
    expect(recipe.teacher).toBeUndefined();
    expect(recipe.export.int8).toBe(false);
    expect(recipe.training.earlyStopping).toBe(false);
  });

  test('may be given values from outside, also in sections that it does not have', () => {
    const recipe = parseRecipe(minimal, {
      overrides: ['seed=7', 'training.epochs=2', 'data.buckets=[8, 64]'],
    });
    expect(recipe.seed).toBe(7);
    expect(recipe.training.epochs).toBe(2);
    expect(recipe.data.buckets).toEqual([8, 64]);
  });
});

test('what the model card says is checked like the rest', () => {
  const { problems } = errorOf(`${minimal}export: { license: 'my own!', languages: [en, English] }\n`);
  expect(problems.map(({ path }) => path)).toEqual(['export.license', 'export.languages[1]']);
  expect(problems[1]?.message).toMatch(/ISO 639 code/);
});

describe('an unknown key', () => {
  test('is told with its place and the nearest valid key', () => {
    const error = errorOf(minimal.replace('kind: use-lite', 'kind: use-lite, hed: { epochs: 3 }'));
    expect(error.code).toBe('recipe.unknown-key');
    expect(error.where).toBe('recipe.yaml:4:28');
    expect(error.message).toBe('teacher.hed: unknown key');
    expect(error.remedy).toBe("Did you mean 'head'?");
  });

  test('inside a section that could also be false', () => {
    const error = errorOf(`${minimal}export:\n  int8: { maxdrop: 0.1 }\n`);
    expect(error.problems).toMatchObject([
      { kind: 'unknown-key', path: 'export.int8.maxdrop', suggestion: 'maxDrop', line: 7, column: 11 },
    ]);
  });

  test('that belongs in another section is sent there', () => {
    const error = errorOf(`${minimal}temperature: 4\n`);
    expect(error.problems[0]).toMatchObject({ path: 'temperature', suggestion: 'objective.kd.temperature' });
  });

  test('that is near to nothing is answered with the keys there are', () => {
    expect(errorOf(`${minimal}zzz: 4\n`).message).toMatch(/the keys here are name, task, seed/);
  });
});

describe('a wrong value', () => {
  test('is told with what was expected', () => {
    const error = errorOf(`${minimal}training:\n  epochs: many\n`);
    expect(error.code).toBe('recipe.invalid');
    expect(error.where).toBe('recipe.yaml:7:3');
    expect(error.message).toBe("training.epochs: expected a whole number above 0, but it is 'many'");
  });

  test('a temperature of 0, which no softmax has, is told what there is', () => {
    const error = errorOf(`${minimal}objective: { kd: { temperature: 0 } }\n`);
    expect(error.message).toBe(
      "objective.kd.temperature: expected a number from 0.1 to 100, or 'auto', but it is 0",
    );
  });

  test('near to a choice gets that choice proposed', () => {
    expect(errorOf(`${minimal}engine: cud\n`).problems[0]).toMatchObject({
      path: 'engine',
      suggestion: 'cuda',
    });
    const kind = errorOf(minimal.replace('wordnet-glosses', 'wordnet-gloss')).problems[0];
    expect(kind).toMatchObject({
      path: 'data.source.kind',
      suggestion: 'wordnet-glosses',
      line: 3,
      column: 13,
    });
    expect(kind?.message).toMatch(/one of 'wordnet-glosses', 'wordnet-kinds', 'wordnet-entries', 'jsonl'/);
  });

  test.each([
    ['labelsPerClass: 2.5', /data.labelsPerClass: expected 'all', or a whole number above 0, but it is 2.5/],
    ['splits: { test: 1.5 }', /data.splits.test: expected a fraction below 1 or a whole number of samples/],
    ['buckets: [16, 8, 64]', /data.buckets: expected lengths that rise/],
    [
      'buckets: [16, 32]',
      /data.buckets: the last bucket must be maxLength: they are 32 and 64; .*\[16, 24, 32, 48, 64\]/,
    ],
    ['labels: [a, b, a]', /data.labels\[2\]: the class 'a' is there twice/],
    ['maxLength: .nan', /data.maxLength: expected a whole number from 4 to 4096, but it is NaN/],
    [
      'splits:',
      /data.splits: expected a section with keys train, validation, test, stratified, seed, but it is empty/,
    ],
  ])('%s', (line, message) => {
    expect(errorOf(minimal.replace('data:\n', `data:\n  ${line}\n`)).message).toMatch(message);
  });

  test('names only one thing when the word stands where its section should', () => {
    const error = errorOf(minimal.replace('{ kind: text-conv }', 'text-conv'));
    expect(error.problems).toMatchObject([{ path: 'student', suggestion: '{ kind: text-conv }' }]);
    expect(errorOf(minimal.replace('glosses', '../x')).message).toMatch(
      /^name: expected letters, .*is '..\/x'$/,
    );
  });

  test('that is missing is told at its section', () => {
    const error = errorOf(minimal.replace('  source: { kind: wordnet-glosses }', '  maxLength: 32'));
    expect(error.problems).toMatchObject([{ kind: 'missing', path: 'data.source', line: 2, column: 1 }]);
  });

  test('from --set is told with its --set', () => {
    const error = errorOf(minimal, ['training.epochs=none']);
    expect(error.where).toBe('--set training.epochs');
    expect(errorOf(minimal, ['epochs']).message).toMatch(/expected key.path=value/);
    expect(errorOf(minimal, ['name.x=1']).where).toBe('--set name.x=1');
    expect(errorOf(minimal, ['__proto__.polluted=1']).code).toBe('recipe.unknown-key');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('of all weights 0 teaches nothing', () => {
    const text = `${minimal}objective: { kd: { weight: 0 }, labels: { weight: 0 } }\n`;
    expect(errorOf(text).message).toMatch(/nothing would be learnt/);
  });
});

test('all problems are told together, in the order of the file', () => {
  const error = errorOf(`${minimal}seeds: 3\ntraining:\n  epochs: 0\n  batchSise: 3\n`);
  expect(error.problems.map(({ path, line }) => [path, line])).toEqual([
    ['seeds', 6],
    ['training.epochs', 8],
    ['training.batchSise', 9],
  ]);
  expect(error.code).toBe('recipe.invalid');
  expect(error.message).toMatch(
    /recipe.yaml:9:3: training.batchSise: unknown key; did you mean 'batchSize'\?/,
  );
});

describe('YAML that is not safe or not sound', () => {
  test.each([
    ['a key twice', 'name: a\nname: b\n', /this key is there twice/, 2],
    ['an open bracket', 'name: [a\nseed: 1\n', /./, 2],
    ['two documents', `${minimal}---\n${minimal}`, /a second one begins here \(---\)/, 6],
    ['a tag', 'name: !!js/function "x"\n', /marks of types \(!\.\.\.\) are not read/, 1],
    ['a key that is no text', '? [a, b]\n: 1\n', /keys are names/, 1],
    ['a quote that is not closed', 'name: "a\n', /begins with " is not closed/, 2],
    ['a bracket that is not closed', 'name: {a: b\n', /} is missing: a section in brackets/, 2],
    ['a character that stands in quotes', 'name: @a\n', /begins with this character stands in quotes/, 1],
    ['two colons', 'name: a: b\n', /with a colon and a space in it stands in quotes/, 1],
    ['a tab', 'name: a\ndata:\n\tsource: x\n', /by spaces, not by tabs/, 3],
    ['a name that nothing has', 'name: a\ntask: *x\n', /\*x is the value of a name that nothing has/, 2],
  ])('%s', (_name, text, message, line) => {
    const error = errorOf(text);
    expect(error.message).toMatch(message);
    expect(error.problems[0]).toMatchObject({ kind: 'syntax', line });
  });

  test('an empty one, and one that is not a section', () => {
    expect(errorOf('').message).toBe('the recipe is empty');
    expect(errorOf('# only a comment\n').message).toBe('the recipe is empty');
    expect(errorOf('- a\n- b\n').message).toMatch(/expected a section with keys name, .* but it is a list/);
  });

  test('aliases that grow beyond measure', () => {
    const levels = 'bcdefghij'.split('').map((name, i) => {
      const parent = String.fromCharCode('a'.charCodeAt(0) + i);
      return `${name}: &${name} [${Array(9).fill(`*${parent}`).join(', ')}]`;
    });
    const error = errorOf(`a: &a [x, x]\n${levels.join('\n')}\n`);
    expect(error.message).toMatch(/values that stand for others \(\*name\) make the recipe too large/);
    expect(error.problems[0]).toMatchObject({ kind: 'syntax', line: 10 });
  });

  test('nesting deeper than the stack, and text without end', () => {
    expect(errorOf('['.repeat(20_000)).message).toBe('the recipe is nested too deeply');
    expect(errorOf('- '.repeat(20_000))).toBeInstanceOf(LimbeckError);
    expect(errorOf('a'.repeat(2_000_000)).message).toMatch(/no recipe/);
  });

  test('keys that reach for the prototype', () => {
    for (const text of ['__proto__: { seed: 9 }\n', 'constructor: { prototype: { seed: 9 } }\n']) {
      expect(errorOf(minimal + text).code).toBe('recipe.unknown-key');
    }
    const nested = errorOf(`${minimal}training:\n  __proto__: { epochs: 3 }\n`);
    expect(nested.problems[0]).toMatchObject({ path: 'training.__proto__', line: 7, column: 3 });
    expect(({} as { seed?: number }).seed).toBeUndefined();
  });
});

test('a recipe of a program has problems without lines', () => {
  expect(() => checkRecipe({ name: 'x', data: {}, student: { kind: 'text-conv' } })).toThrow(
    /data.source: is missing/,
  );
  expect(() => checkRecipe(null)).toThrow(RecipeError);
});

test('files of fewer bits are asked for by true or by how; a bound of bytes holds for early exits as well', () => {
  const exported = (text: string) => parseRecipe(`${minimal}\n${text}`).export;
  expect(wantedPrecisions(exported('export: { q4: true }'))).toEqual([
    { precision: 'q4', maxDrop: 0.01, form: { block: 32, zeroPoints: false, expand: 'load' } },
  ]);
  const [one] = wantedPrecisions(exported('export: { q4: { block: 64, maxDrop: 0.02 } }'));
  expect(one).toMatchObject({ maxDrop: 0.02, form: { block: 64 } });
  expect(wantedPrecisions(exported(''))).toEqual([]);
  expect(() => exported('export: { q4: { block: 48 } }')).toThrow(/export.q4/);
  exported('export: { int8: { maxBytes: 9 } }\ncompress: [{ kind: exits, after: [1] }]');
});
