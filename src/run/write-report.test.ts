import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeReport } from './write-report.ts';

it.each([
  ['run.unfinished', 'report.json', undefined],
  ['run.damaged', 'report.json', '{"name": "cut off'],
  ['run.damaged', 'report.json', '{"name": "of another version"}'],
  ['run.damaged', 'continual.json', '{"result": {'],
  ['run.damaged', 'continual.json', '{"result": {}}'],
])('tells %s for a folder whose %s is %j', async (code, file, content) => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  if (content !== undefined) writeFileSync(join(folder, file), content);
  await expect(writeReport(folder)).rejects.toMatchObject({ code });
});
