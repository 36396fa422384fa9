import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { rejectStudent } from './rejected-student.ts';
import { requireStudent } from './require-student.ts';

const run = mkdtempSync(join(tmpdir(), 'limbeck-rejected-'));
afterEach(() => rmSync(run, { recursive: true, force: true }));

const write = (text: string) => {
  mkdirSync(join(run, 'student/onnx'), { recursive: true });
  writeFileSync(join(run, 'student/onnx/model.onnx'), text);
};

it('takes the whole student out of the place of what ships, once, and in the place of an earlier one', () => {
  const file = join(run, 'student/onnx/model.onnx');
  expect(() => requireStudent(run, file)).toThrow(expect.objectContaining({ code: 'export.missing' }));
  write('first');
  requireStudent(run, file);
  const kept = rejectStudent(run);
  expect(existsSync(join(run, 'student'))).toBe(false);
  expect(rejectStudent(run)).toBe(kept);
  expect(() => requireStudent(run, file)).toThrow(
    expect.objectContaining({ code: 'export.kept-back', where: kept }),
  );
  write('second');
  rejectStudent(run);
  expect(readFileSync(join(kept, 'onnx/model.onnx'), 'utf8')).toBe('second');
});
