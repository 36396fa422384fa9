import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { rejectFile } from './rejected-files.ts';

const run = mkdtempSync(join(tmpdir(), 'limbeck-rejected-'));
afterEach(() => rmSync(run, { recursive: true, force: true }));

it('takes the file out of the folder that ships, once', () => {
  const shipped = join(run, 'student/onnx/model_quantized.onnx');
  mkdirSync(join(run, 'student/onnx'), { recursive: true });
  writeFileSync(shipped, 'int8');
  const kept = rejectFile(run, 'int8');
  expect(existsSync(shipped)).toBe(false);
  expect(existsSync(kept)).toBe(true);
  expect(rejectFile(run, 'int8')).toBe(kept);
});

it('takes the parts of a file with exits out as well, and leaves those of the float32 one', () => {
  const folder = join(run, 'student/onnx/exits');
  mkdirSync(folder, { recursive: true });
  const part = (file: string) => ({ file, threshold: null, takes: [], gives: [] });
  const [float, int8] = ['onnx/exits/part_1.onnx', 'onnx/exits/part_1_quantized.onnx'] as const;
  const forms = {
    'onnx/model.onnx': [part(float), part(float)],
    'onnx/model_quantized.onnx': [part(int8), part(int8)],
  };
  const manifest = { version: 1, confidence: 'probability', output: 'logits', forms };
  writeFileSync(join(run, 'student/exits.json'), JSON.stringify(manifest));
  for (const file of [float, int8, 'onnx/model_quantized.onnx'])
    writeFileSync(join(run, 'student', file), 'model');
  rejectFile(run, 'int8');
  expect([float, int8].map((file) => existsSync(join(run, 'student', file)))).toEqual([true, false]);
  const left = JSON.parse(readFileSync(join(run, 'student/exits.json'), 'utf8'));
  expect(Object.keys(left.forms)).toEqual(['onnx/model.onnx']);
});

it('takes the towers of a dual encoder out with their model, and no file of another precision', () => {
  const folder = join(run, 'student/onnx');
  mkdirSync(folder, { recursive: true });
  const named = (suffix: string) =>
    ['model', 'text_model'].map((stem) => join(folder, `${stem}${suffix}.onnx`));
  for (const file of [...named(''), ...named('_quantized'), ...named('_q4')]) writeFileSync(file, 'model');
  rejectFile(run, 'q4');
  expect(named('_q4').some(existsSync)).toBe(false);
  expect([...named(''), ...named('_quantized')].every(existsSync)).toBe(true);
});
