import { BROKEN_ROWS_FILE } from '../../data/broken-rows.ts';
import { copyFileSync, rmSync } from '../../platform/files.ts';
import { classFindings } from '../class-findings.ts';
import { dataFindings } from '../data-findings.ts';
import { changeOfData, writeKeptSplits } from '../kept-splits-file.ts';
import { type RunContext, runStage } from '../run-context.ts';
import type { Task, TaskData } from '../tasks/task.ts';

/** Reads and splits the data, or finds it prepared by an earlier run. */
export function dataStage(run: RunContext, task: Task): Promise<TaskData> {
  const title = task.unit === 'texts' ? 'Read and tokenize the data' : 'Read the data';
  return runStage(run, 'data', title, async () => {
    for (const warning of task.warnings ?? []) run.warn(warning);
    const value = await task.prepareData({
      onProgress: (rows) =>
        run.emit({ type: 'progress', stage: 'data', task: 'reading', done: rows, total: 0, unit: 'rows' }),
    });
    const { dataset } = value;
    try {
      run.folder.acceptInput('data', dataset.contentHash, () => changeOfData(run.folder.path, dataset));
      writeKeptSplits(run.folder.path, dataset);
      rmSync(run.folder.file(BROKEN_ROWS_FILE), { force: true });
      if (dataset.brokenRowsFile) copyFileSync(dataset.brokenRowsFile, run.folder.file(BROKEN_ROWS_FILE));
    } catch (error) {
      dataset.close();
      throw error;
    }
    const { train, labelled, validation, test } = dataset.splits;
    for (const finding of [...dataFindings(dataset, task.teacher), ...classFindings(dataset, value.classes)])
      run.warn(finding);
    const sizes = `${train.size} to train on (${labelled.size} with labels), ${validation.size} to validate, ${test.size} to test`;
    return { value, summary: `${dataset.title}: ${sizes}${dataset.reused ? '; prepared earlier' : ''}` };
  });
}
