import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { rejectInt8 } from './rejected-int8.ts';

const run = mkdtempSync(join(tmpdir(), 'limbeck-rejected-'));
afterEach(() => rmSync(run, { recursive: true, force: true }));

it('takes the file out of the folder that ships, once', () => {
  const shipped = join(run, 'student/onnx/model_quantized.onnx');
  mkdirSync(join(run, 'student/onnx'), { recursive: true });
  writeFileSync(shipped, 'int8');
  const kept = rejectInt8(run);
  expect(existsSync(shipped)).toBe(false);
  expect(existsSync(kept)).toBe(true);
  expect(rejectInt8(run)).toBe(kept);
});
