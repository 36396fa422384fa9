import { readFileSync, renameSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunEvent } from '../src/events.ts';
import { accuracyOf } from '../src/report/result.ts';
import { evaluate } from '../src/run/evaluate.ts';
import { train } from '../src/run/train.ts';
import { type Gloss, readGlosses, writeJsonLines } from './support/glosses.ts';
import { RunPlace, smallRecipe } from './support/small-run.ts';

const place = new RunPlace();
const recipe = smallRecipe([
  'data.source={kind: jsonl, path: data.jsonl}',
  'data.splits={validation: 40, test: 80}',
  'data.labelsPerClass=all',
  'training.epochs=2',
  'export.int8=false',
]);
const options = place.options('a');
let rows: Pick<Gloss, 'text' | 'label'>[];
const warnings: string[] = [];
let accuracy: number;

const write = (content: readonly (object | string)[]) => writeJsonLines(place.path('data.jsonl'), content);
const measure = () => evaluate(options.out, {});

beforeAll(async () => {
  // Without their ids: content is all there is to know them by.
  rows = (await readGlosses(100)).map(({ text, label }) => ({ text, label }));
  write([...rows, 'no JSON']);
  const onEvent = (event: RunEvent) => {
    if (event.type === 'log' && event.level === 'warn') warnings.push(event.message);
  };
  const { student } = await train(recipe, { ...options, onEvent });
  accuracy = accuracyOf(student);
});
afterAll(() => place.remove());

test('broken rows are listed in the run', () => {
  expect(warnings).toContainEqual(
    expect.stringMatching(/^1 broken rows were left out; the first: data.jsonl:401/),
  );
  expect(readFileSync(place.path('runs/a/broken-rows.jsonl'), 'utf8')).toMatch(
    /^\{"where":"data.jsonl:401","reason":"json","problem":"not JSON: .*","excerpt":"no JSON"\}\n$/,
  );
});

test('a run is measured on its own test samples, whatever rows came and where they are', async () => {
  expect(await measure()).toMatchObject({ samples: 80, accuracy });
  const more = Array.from({ length: 100 }, (_, i) => ({ text: `a thing called ${i}`, label: 'noun.animal' }));
  write([...more, ...rows.toReversed()]);
  expect(await measure()).toMatchObject({ samples: 80, accuracy });
});

test('it is not measured on others when its test samples are gone, or labelled otherwise', async () => {
  write(rows.slice(200));
  await expect(measure()).rejects.toMatchObject({
    code: 'run.other-data',
    message: expect.stringMatching(/\d+ of the run's 80 test samples are no longer there \(0 are new\)$/),
  });
  write(rows.map((row) => ({ ...row, label: row.label === 'noun.plant' ? 'noun.person' : 'noun.plant' })));
  await expect(measure()).rejects.toMatchObject({ code: 'run.other-data' });
});

test('a run does not go on with other data', async () => {
  write([{ text: 'a thing of another kind', label: 'noun.plant' }, ...rows]);
  await expect(train(recipe, options)).rejects.toMatchObject({
    code: 'run.other-data',
    message: expect.stringMatching(/^the data changed since this run began: 1 are new/),
  });
  write([...rows, 'no JSON']);
  expect((await train(recipe, options)).student.accuracy).toBe(accuracy);
});

test('a run that does not say what it was tested on is not measured', async () => {
  renameSync(place.path('runs/a/splits.bin'), place.path('splits.bin'));
  await expect(measure()).rejects.toMatchObject({ code: 'run.no-splits', remedy: expect.any(String) });
  renameSync(place.path('splits.bin'), place.path('runs/a/splits.bin'));
  expect((await measure()).accuracy).toBe(accuracy);
});
