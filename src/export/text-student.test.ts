import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Graph, Value } from '../onnx/graph.ts';
import { float32 } from '../onnx/tensor.ts';
import { type AnyTarget, findTarget, openHead } from '../targets/index.ts';
import { isPackage, MODEL_FILE, QUANTIZED_FILE } from './package-folder.ts';
import { type TextStudentPackage, writeTextStudent } from './text-student.ts';

const logits: Value = { name: 'logits', type: 'float32', shape: [2] };
const model: Graph = {
  name: 'g',
  inputs: [],
  outputs: [logits],
  nodes: [],
  initializers: new Map([[logits, float32([1, 2])]]),
  opsets: new Map([['', 18]]),
  metadata: new Map(),
};

const HEAD = openHead({
  output: 'logits',
  target: findTarget('class') as AnyTarget,
  options: {},
  space: { names: ['a', 'b'] },
  labels: 'labels',
});

const content = (tokenizer: string, name = 'tokenizer.json'): TextStudentPackage => ({
  model,
  quantized: null,
  architecture: 'text-conv',
  heads: [HEAD],
  vocabularySize: 10,
  padTokenId: 0,
  endIds: [],
  maxLength: 8,
  tokenizerFiles: [{ name, bytes: Buffer.from(tokenizer) }],
});

let place: string;
let folder: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'limbeck-export-'));
  folder = join(place, 'student');
});
afterEach(() => rmSync(place, { recursive: true }));
const tokenizer = () => readFileSync(join(folder, 'tokenizer.json'), 'utf8');

test('a package takes the place of the one before, as a whole, and leaves nothing beside it', () => {
  writeTextStudent(folder, content('first'));
  writeFileSync(join(folder, 'README.md'), 'of the first');
  writeTextStudent(folder, content('second'));
  expect(tokenizer()).toBe('second');
  expect(existsSync(join(folder, 'README.md'))).toBe(false);
  expect(readdirSync(place)).toEqual(['student']);
});

test('a package that cannot be written leaves the one before', () => {
  writeTextStudent(folder, content('first'));
  expect(() => writeTextStudent(folder, content('second', 'onnx'))).toThrow(
    expect.objectContaining({ code: 'export.write' }),
  );
  expect(tokenizer()).toBe('first');
});

test('what a kill left between the two names holds nobody up', () => {
  mkdirSync(`${folder}.old`);
  mkdirSync(`${folder}.partial`);
  writeTextStudent(folder, content('new'));
  writeTextStudent(folder, content('newer'));
  expect(tokenizer()).toBe('newer');
  expect(readdirSync(place)).toEqual(['student']);
});

test('a package is one when the files that count are there', () => {
  expect(isPackage(folder, ['f32'])).toBe(false);
  writeTextStudent(folder, content('a'));
  expect(isPackage(folder, ['f32'])).toBe(false);
  writeFileSync(join(folder, 'README.md'), 'measured');
  expect(isPackage(folder, ['f32'])).toBe(true);
  expect(isPackage(folder, ['f32', 'int8'])).toBe(false);
  writeFileSync(join(folder, QUANTIZED_FILE), '');
  expect(isPackage(folder, ['f32', 'int8'])).toBe(true);
  rmSync(join(folder, MODEL_FILE));
  expect(isPackage(folder, ['f32', 'int8'])).toBe(false);
});
