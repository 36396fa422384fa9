import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeReport } from './write-report.ts';

it.each([
  ['run.unfinished', undefined],
  ['run.damaged', '{"name": "cut off'],
  ['run.damaged', '{"name": "of another version"}'],
])('tells %s for a folder whose report data is %j', async (code, content) => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  if (content !== undefined) writeFileSync(join(folder, 'report.json'), content);
  await expect(writeReport(folder)).rejects.toMatchObject({ code });
});
