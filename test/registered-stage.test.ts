import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  artifact,
  artifacts,
  exportStudent,
  notMeasured,
  optional,
  plan,
  type RunEvent,
  registerStage,
  stage,
  train,
  writeReport,
} from '../src/index.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { RunPlace, smallRecipe } from './support/small-run.ts';

// What somebody outside the package writes: a stage behind the export, and one behind that.

const SUMS = artifact<Readonly<Record<string, string>>>('sums');

const sumsStage = stage({
  name: 'sums',
  about: 'write a checksum of the student',
  needs: { shipped: artifacts.shipped, teacher: optional(artifacts.teacher) },
  makes: SUMS,
  applies: (recipe) => recipe.export.int8 === false,
  title: () => 'Write checksums',
  async run(run, { shipped, teacher }) {
    const files = [shipped.student, ...(teacher ? [teacher.file] : [])];
    const sums = Object.fromEntries(
      files.map((file) => [file, createHash('sha256').update(readFileSync(file)).digest('hex')]),
    );
    writeFileSync(run.folder.file('sums.json'), JSON.stringify(sums));
    run.emit({ type: 'progress', stage: 'sums', task: 'adding', done: 1, total: 1, unit: 'files' });
    return { value: sums, summary: `${files.length} checksums` };
  },
  plan: async (context) => ({ ...notMeasured(context, 'sums', 'a pass over the files'), diskBytes: 100 }),
});

const signStage = stage({
  name: 'sign',
  about: 'sign the checksums',
  needs: { sums: SUMS },
  title: () => 'Sign',
  async run(run, { sums }) {
    writeFileSync(run.folder.file('signature'), Object.values(sums).join());
    return { value: undefined, summary: 'signed' };
  },
  plan: async (context) => notMeasured(context, 'sign', 'a moment'),
});

const place = new RunPlace();
const { teacher: _, ...recipe } = smallRecipe(['training.epochs=1', 'export.int8=false']);
const file = (name: string) => place.path('runs', 'run', name);
const json = (name: string) => JSON.parse(readFileSync(file(name), 'utf8'));

beforeAll(async () => {
  writeJsonLines(place.path('data.jsonl'), await readGlosses(150));
  registerStage(sumsStage, { after: 'export' });
  registerStage(signStage, { after: 'sums' });
});
afterAll(() => place.remove());

test('a stage of somebody else is in the plan', async () => {
  const { stages } = await plan(recipe, place.options('run'));
  expect(stages.map(({ stage }) => stage)).toEqual(['data', 'train', 'export', 'sums', 'sign', 'evaluate']);
  expect(stages[3]).toMatchObject({ diskBytes: 100, note: 'not measured: a pass over the files' });
});

describe('a run with it', () => {
  const events: RunEvent[] = [];

  beforeAll(async () => {
    await train(recipe, place.options('run', { onEvent: (event) => events.push(event) }));
  });

  test('tells of it between those that it stands between', () => {
    const ended = events.flatMap((event) => (event.type === 'stage-end' ? [event.stage] : []));
    expect(ended).toEqual(['data', 'train', 'export', 'sums', 'sign', 'evaluate', 'report']);
  });

  test('gives it what earlier stages made, and later ones what it made', () => {
    const sum = createHash('sha256')
      .update(readFileSync(file('student/onnx/model.onnx')))
      .digest('hex');
    expect(json('sums.json')).toEqual({ [file('student/onnx/model.onnx')]: sum });
    expect(readFileSync(file('signature'), 'utf8')).toBe(sum);
  });

  test('has its seconds in the result, in their place', () => {
    const { seconds } = json('result.json');
    expect(Object.keys(seconds)).toEqual([
      'data',
      'teacher',
      'label',
      'peer',
      'train',
      'baseline',
      'export',
      'sums',
      'sign',
      'evaluate',
      'report',
      'total',
    ]);
    expect(seconds.sums).toBeGreaterThan(0);
    const { total, ...parts } = seconds as Record<string, number>;
    expect(total).toBeCloseTo(
      Object.values(parts).reduce((sum, part) => sum + part, 0),
      9,
    );
  });

  test('says in the report what it does', () => {
    expect(readFileSync(file('report.html'), 'utf8')).toContain('write a checksum of the student');
  });

  test('a report of an earlier version, which did not keep what its stages do, is drawn as before', async () => {
    const { stages: _, ...earlier } = json('report.json');
    mkdirSync(place.path('runs', 'earlier'));
    place.write('runs/earlier/report.json', JSON.stringify(earlier));
    const { file: page } = await writeReport(place.path('runs', 'earlier'));
    expect(readFileSync(page, 'utf8')).toContain('the student learns from the labels');
  });

  test('does it again with an export', async () => {
    rmSync(file('sums.json'));
    await exportStudent(place.path('runs', 'run'), {});
    expect(existsSync(file('sums.json'))).toBe(true);
  });
});

test('it is left out where it says that it does not apply', async () => {
  const withInt8 = { ...recipe, export: { ...recipe.export, int8: { maxDrop: 0.5 } } };
  const { stages } = await plan(withInt8, place.options('other'));
  const names = stages.map(({ stage }) => stage);
  expect(names).not.toContain('sums');
});
