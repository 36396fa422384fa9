import { BROKEN_ROWS_FILE } from '../../data/rows/broken-rows.ts';
import { copyFileSync, rmSync } from '../../platform/files.ts';
import { requireStudentForm } from '../compressing/require-student-form.ts';
import { artifact } from '../context/artifact.ts';
import type { TaskData } from '../context/task.ts';
import { classFindings } from '../data/class-findings.ts';
import { dataFindings } from '../data/data-findings.ts';
import { changeOfData, writeKeptSplits } from '../data/kept-splits-file.ts';
import { pairFindings } from '../data/pair-findings.ts';
import { requireTrainable } from '../data/require-trainable.ts';
import { requireRuntimes } from '../gates/require-runtimes.ts';
import { withTaughtTruth } from '../heads/taught-truth.ts';
import { startOf } from '../heads/with-priors.ts';
import { PREPARATION } from '../planning/costs.ts';
import { requireWriting } from '../writing/require-writing.ts';
import { TASK } from './given.ts';
import { stage } from './stage.ts';

/** What every later stage works on. */
export const DATA = artifact<TaskData>('data');

/** Reads and splits the data, or finds it prepared by an earlier run. */
export const dataStage = stage({
  name: 'data',
  about: 'read and split the data',
  needs: { task: TASK },
  makes: DATA,
  title: (_, { task }) => (task.unit === 'texts' ? 'Read and tokenize the data' : 'Read the data'),
  async run(run, { task }) {
    for (const warning of task.warnings ?? []) run.warn(warning);
    const prepared = await task.prepareData({
      onProgress: (rows) =>
        run.emit({ type: 'progress', stage: 'data', task: 'reading', done: rows, total: 0, unit: 'rows' }),
    });
    const value = withTaughtTruth(prepared);
    const { dataset } = prepared;
    try {
      run.folder.acceptInput('data', dataset.contentHash, () => changeOfData(run.folder.path, dataset));
      run.folder.acceptHeads(startOf(prepared.heads));
      writeKeptSplits(run.folder.path, dataset);
      rmSync(run.folder.file(BROKEN_ROWS_FILE), { force: true });
      if (dataset.brokenRowsFile) copyFileSync(dataset.brokenRowsFile, run.folder.file(BROKEN_ROWS_FILE));
      requireTrainable(prepared);
      await requireStudentForm(run.recipe, prepared);
      await requireWriting(run.recipe, prepared);
      await requireRuntimes(run.recipe, run.options);
    } catch (error) {
      dataset.close();
      throw error;
    }
    const { train, labelled, validation, test } = dataset.splits;
    const findings = [
      ...dataFindings(dataset, task.teacher),
      ...classFindings(dataset, value.classes),
      ...pairFindings(prepared),
    ];
    for (const finding of findings) run.warn(finding);
    const sizes = `${train.size} to train on (${labelled.size} with labels), ${validation.size} to validate, ${test.size} to test`;
    return { value, summary: `${dataset.title}: ${sizes}${dataset.reused ? '; prepared earlier' : ''}` };
  },
  release: ({ dataset }) => dataset.close(),
  // A plan has prepared the data by then: everything else is measured on them.
  plan: async (_, costs) => costs.get(PREPARATION),
});
