import { mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { describeModel } from '../src/onnx/anatomy/describe-model.ts';
import { readModel } from '../src/onnx/read-model.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import { check } from '../src/run/check.ts';
import { distill } from '../src/run/distill.ts';
import { bert } from '../src/students/bert.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { tokenizerJson } from './support/onnx-teacher.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

/** A BERT of three layers, and 120 texts of numbers. */
beforeAll(async () => {
  mkdirSync(place.path('teacher'));
  place.write('teacher/tokenizer.json', await tokenizerJson());
  const options = bert.options.parse({ width: 16, heads: 2, layers: 3, feedForward: 24 });
  const { graph } = buildClassifier(bert, options, {
    ...{ vocabularySize: 8000, maxLength: 16, classes: 2, random: randomStream(1, 'teacher') },
  });
  place.write('teacher/model.onnx', writeModel(graph));
  const words = 'sea hill river lake field wood road town'.split(' ');
  const rows = Array.from({ length: 120 }, (_, i) =>
    JSON.stringify({
      text: `the ${words[i % 8]} and the ${words[(3 * i + 1) % 8]} ${i}`,
      label: i % 2 === 0 ? 'LABEL_0' : 'LABEL_1',
    }),
  );
  place.write('rows.jsonl', rows.join('\n'));
});

const recipe = (size: Record<string, unknown>) =>
  parseRecipe(
    stringify({
      name: 'cut',
      data: {
        source: { kind: 'jsonl', path: 'rows.jsonl' },
        splits: { validation: 20, test: 20 },
        maxLength: 12,
        buckets: [12],
      },
      teacher: {
        ...{ kind: 'onnx', model: 'teacher', precision: 'f32', train: 'none', atChance: 'warn' },
        labels: ['LABEL_0', 'LABEL_1'],
      },
      student: { kind: 'cut', layers: 2, ...size },
      objective: { kd: { weight: 0.6 }, hidden: { weight: 0.2 }, attention: { weight: 0.2 } },
      training: { epochs: 1, batchSize: 16 },
      export: { int8: false },
    }),
  );

test('a check refuses more heads than the teacher has, before it is asked', async () => {
  await expect(check(recipe({ heads: 3 }), place.options('refused'))).rejects.toMatchObject({
    code: 'recipe.invalid',
    where: 'student.heads, of kind: cut',
    message: expect.stringContaining('the teacher has 2 heads in layer_0, not 3'),
  });
});

test('layers that the teacher does not have are refused before the data are read', async () => {
  const events: string[] = [];
  const onEvent = ({ type }: { type: string }) => events.push(type);
  const run = distill(recipe({ layers: [0, 99] }), { ...place.options('layers'), onEvent });
  await expect(run).rejects.toMatchObject({ code: 'recipe.invalid', where: 'student.layers' });
  expect(events).not.toContain('stage-start');
});

test(
  'a student that is cut by layers, heads and width learns from inside its teacher, and ships',
  async () => {
    const result = await distill(recipe({ heads: 1, width: 0.5 }), {
      ...place.options('cut'),
      baseline: false,
    });
    const file = place.path('runs', 'cut', 'student', 'onnx', 'model.onnx');
    const { layers } = describeModel(readModel(readFileSync(file), { title: file }));
    expect(layers.map(({ hidden, attention }) => [hidden?.width, attention?.heads])).toEqual([
      [8, 1],
      [8, 1],
    ]);
    expect(result.student.parameters).toBeLessThan(result.teacher?.parameters as number);
  },
  patience(60),
);
