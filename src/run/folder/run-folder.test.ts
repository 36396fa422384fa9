import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceFile } from '../../replace-file.ts';
import { RunFolder, readRun } from './run-folder.ts';
import { readState } from './run-state.ts';

let path: string;
const origin = { recipeFolder: '/recipes', storeFolder: '/store' };
const open = () => new RunFolder(path, 'name: a\n', origin);

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'limbeck-run-folder-'));
});
afterEach(() => rmSync(path, { recursive: true }));

test('a student that learns from labels alone never goes on with the checkpoints of a distilled one', () => {
  const first = open();
  first.acceptTeaching('teacher');
  // Nothing was trained yet: the folder is free.
  first.acceptTeaching('labels');
  first.acceptTeaching('teacher');
  mkdirSync(join(path, 'checkpoints', 'train'), { recursive: true });
  first.close();

  const second = open();
  second.acceptTeaching('teacher');
  expect(() => second.acceptTeaching('labels')).toThrow(
    expect.objectContaining({ code: 'run.other-teaching', remedy: expect.stringContaining('--out') }),
  );
  second.close();
});

test('a student whose outputs began otherwise is never read with the rates of today', () => {
  // As a version that knew no rates left it.
  open().close();
  const checkpoint = () => {
    mkdirSync(join(path, 'checkpoints', 'train'), { recursive: true });
    writeFileSync(join(path, 'checkpoints', 'train', '1.safetensors'), 'a checkpoint');
  };
  checkpoint();
  const older = open();
  older.acceptHeads(undefined);
  expect(() => older.acceptHeads('rates')).toThrow(
    expect.objectContaining({ code: 'run.other-heads', remedy: expect.stringContaining('--out') }),
  );
  older.close();
  // Nothing is trained yet: the folder is free, and remembers it.
  rmSync(join(path, 'checkpoints'), { recursive: true });
  const free = open();
  free.acceptHeads('rates');
  checkpoint();
  free.close();
  const again = open();
  again.acceptHeads('rates');
  expect(() => again.acceptHeads('others')).toThrow(expect.objectContaining({ code: 'run.other-heads' }));
  again.close();
});

test('two runs of one process do not share a folder', () => {
  const first = open();
  expect(open).toThrow(expect.objectContaining({ code: 'run.locked' }));
  expect(existsSync(join(path, '.lock'))).toBe(true);
  first.close();
  open().close();
  expect(existsSync(join(path, '.lock'))).toBe(false);
});

test('a lock that is left from an earlier process of the same id holds nobody up', () => {
  writeFileSync(join(path, '.lock'), `${process.pid}\n`);
  open().close();
});

test('a warning survives a kill right after it', () => {
  const folder = open();
  folder.addWarning('a term is inert');
  expect(JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')).warnings).toEqual(['a term is inert']);
  folder.close();
});

const state = () => join(path, 'state.json');
const edit = (change: (value: Record<string, unknown>) => void) => {
  const value = JSON.parse(readFileSync(state(), 'utf8'));
  change(value);
  writeFileSync(state(), JSON.stringify(value));
};

test.each<[string, () => void]>([
  ['cut short', () => truncateSync(state(), 40)],
  ['empty', () => truncateSync(state(), 0)],
  ['not an object', () => writeFileSync(state(), '[1]')],
  ['null', () => writeFileSync(state(), 'null')],
  ['changed by a digit', () => edit((value) => Object.assign(value, { seconds: { teacher: 2 } }))],
  ['with a finding of another shape', () => edit((value) => Object.assign(value, { done: { teacher: 5 } }))],
  [
    'of another shape',
    () => writeFileSync(state(), '{"seconds":[],"done":7,"warnings":{"a":1},"origin":null}'),
  ],
  ['of a later version', () => writeFileSync(state(), `{"format":2,"origin":${JSON.stringify(origin)}}`)],
  [
    'a folder',
    () => {
      rmSync(state());
      mkdirSync(state());
    },
  ],
])('a state that is %s is told, and found again', (_, damage) => {
  const first = open();
  first.addSeconds('teacher', 1);
  first.finish('teacher', { precision: 'f32' });
  first.close();
  damage();
  expect(() => readRun(path)).toThrow(
    expect.objectContaining({
      code: 'run.damaged',
      message: expect.stringContaining('state.json is damaged'),
    }),
  );
  if (_ === 'a folder') return rmSync(state(), { recursive: true });
  const second = open();
  expect(second.problems).toEqual([expect.stringContaining('state.json is damaged')]);
  expect(second.finding('teacher')).toBeUndefined();
  expect(second.warnings).toEqual(second.problems);
  second.close();
  expect(readState(path).seconds).toEqual({});
});

test('a state of an earlier version is gone on with', () => {
  writeFileSync(join(path, 'recipe.resolved.yaml'), 'name: a\n');
  writeFileSync(
    state(),
    JSON.stringify({ seconds: { data: 3 }, done: {}, warnings: ['w'], inputs: {}, origin }),
  );
  expect(readRun(path)).toMatchObject({ recipe: 'name: a\n', origin });
  const folder = open();
  expect(folder.problems).toEqual([]);
  expect(folder.seconds).toEqual({ data: 3 });
  folder.close();
});

test('a resolved recipe that was damaged is written again, and not taken for another', () => {
  open().close();
  const recipe = join(path, 'recipe.resolved.yaml');
  writeFileSync(recipe, 'name: b\n');
  expect(() => readRun(path)).toThrow(expect.objectContaining({ code: 'run.damaged', where: recipe }));
  const folder = open();
  expect(folder.problems).toEqual([
    expect.stringContaining('recipe.resolved.yaml was not as the run wrote it'),
  ]);
  folder.close();
  expect(readRun(path).recipe).toBe('name: a\n');
  const begun = open();
  begun.finish('teacher', {});
  begun.close();
  expect(() => new RunFolder(path, 'name: c\n', origin)).toThrow(
    expect.objectContaining({ code: 'run.other-recipe' }),
  );
});

test('bounds of runtimes may be changed after a run, and nothing else with them', () => {
  const recipe = (gate: string, seed = 1) =>
    `name: a\nseed: ${seed}\nexport: { int8: { maxDrop: 0.01 }${gate} }\n`;
  const reopen = (text: string) => new RunFolder(path, text, origin);
  const begun = reopen(recipe(', gate: { node: { p50: 5 } }'));
  begun.finish('teacher', {});
  begun.close();
  const looser = reopen(recipe(', gate: { node: { p50: 9 } }'));
  expect(looser.problems).toEqual([]);
  expect(looser.finding('teacher')).toEqual({});
  looser.close();
  reopen(recipe('')).close();
  expect(readRun(path).recipe).toBe(recipe(''));
  expect(() => reopen(recipe('', 2))).toThrow(expect.objectContaining({ code: 'run.other-recipe' }));
});

test('a baseline may be wanted later, and left out later, and what was trained keeps its sizes', () => {
  const recipe = (baseline: string) => `name: a\nbaseline:${baseline}\n`;
  const some = (epochs: number) => `\n  epochs: ${epochs}`;
  const reopen = (text: string) => new RunFolder(path, text, origin);
  const without = reopen(recipe(' false'));
  without.finish('teacher', {});
  without.close();
  const trained = reopen(recipe(some(60)));
  expect(trained.problems).toEqual([]);
  expect(trained.finding('teacher')).toEqual({});
  trained.close();
  reopen(recipe(' false')).close();
  expect(readRun(path).recipe).toBe(recipe(some(60)));
  expect(() => reopen(recipe(some(30)))).toThrow(expect.objectContaining({ code: 'run.other-recipe' }));
});

test('a run that was refused before anything was finished may be begun anew with a corrected recipe', () => {
  const refused = open();
  refused.addWarning('of the recipe before');
  refused.close();
  const corrected = new RunFolder(path, 'name: b\n', origin);
  expect(corrected.warnings).toEqual([]);
  mkdirSync(join(path, 'checkpoints', 'train'), { recursive: true });
  writeFileSync(join(path, 'checkpoints', 'train', 'step-1.safetensors'), '');
  corrected.close();
  expect(readRun(path).recipe).toBe('name: b\n');
  expect(open).toThrow(expect.objectContaining({ code: 'run.other-recipe' }));
});

test('a half line of metrics does not spoil the next one', () => {
  const folder = open();
  folder.addMetrics('train', { step: 1 });
  folder.addMetrics('baseline', { step: 1 });
  const metrics = join(path, 'metrics.jsonl');
  writeFileSync(metrics, readFileSync(metrics).subarray(0, -5));
  folder.resetMetrics('train');
  folder.addMetrics('train', { step: 2 });
  expect(readFileSync(metrics, 'utf8')).toBe('{"stage":"train","step":2}\n');
  folder.close();
});

test('files that are kept are known again, whatever changes in them', () => {
  const folder = open();
  for (const name of [
    'student/onnx/model.onnx',
    'student/onnx/model.onnx_data',
    'student/README.md',
    'teacher.onnx',
  ])
    replaceFile(join(path, name), `content of ${name}`, 'run');
  folder.keepFolder('student');
  folder.keep('teacher.onnx');
  folder.close();

  const again = open();
  const names = ['student', 'student/onnx/model.onnx', 'teacher.onnx'];
  const problems = () => names.map((name) => again.problemOf(name));
  expect(problems()).toEqual([undefined, undefined, undefined]);
  // A person may write on the card.
  writeFileSync(join(path, 'student/README.md'), 'mine');
  expect(problems()).toEqual([undefined, undefined, undefined]);
  writeFileSync(join(path, 'student/onnx/model.onnx_data'), 'CONTENT of student/onnx/model.onnx_data');
  const damaged = 'student/onnx/model.onnx_data is damaged: it is not as it was written';
  expect(problems()).toEqual([damaged, damaged, undefined]);
  expect(again.damage()).toBe(damaged);
  rmSync(join(path, 'student'), { recursive: true });
  expect(again.damage()).toBeUndefined();
  rmSync(join(path, 'teacher.onnx'));
  expect(again.damage()).toBeUndefined();
  expect(again.problemOf('teacher.onnx')).toBe('teacher.onnx is missing');
  // Of what an earlier version wrote nothing is known.
  writeFileSync(join(path, 'older.onnx'), '');
  expect(again.problemOf('older.onnx')).toBeUndefined();
  again.close();
});

test('a folder that is removed while a run works in it is told, and not made again', () => {
  const run = open();
  expect(run.lost()).toBeUndefined();
  rmSync(path, { recursive: true });
  expect(() => run.finish('data', null)).toThrow(expect.objectContaining({ code: 'run.folder-lost' }));
  expect(existsSync(path)).toBe(false);

  // Another run may have the place by then: its lock is its own.
  mkdirSync(path);
  writeFileSync(join(path, '.lock'), '1\nelsewhere\n\n');
  expect(run.lost()).toMatchObject({ code: 'run.folder-lost' });
  run.close();
  expect(existsSync(join(path, '.lock'))).toBe(true);
});
