import { existsSync, readFileSync } from 'node:fs';
import { LimbeckError } from '../errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import { type RunResult, runResultSchema } from '../report/result.ts';
import type { RunOptions } from './api.ts';
import { openRun } from './run-context.ts';
import { dataStage } from './stages/data.ts';
import { evaluateStage } from './stages/evaluate.ts';
import { exportStage } from './stages/export.ts';
import { labelStage } from './stages/label.ts';
import { reportStage } from './stages/report.ts';
import { teacherStage } from './stages/teacher.ts';
import { baselineStage, trainStage } from './stages/train.ts';
import { openRecipeTeacher } from './teaching/open-teacher.ts';

/**
 * Distils: reads the data, makes the teacher ready, labels, trains the student and its baseline, exports, measures
 * the files that ship, and reports. Everything lands in the folder `options.out`; called again on a folder that was
 * cut off it goes on, and ends in the same bits; on a finished one it answers at once.
 *
 * @throws LimbeckError; `export.gate` when the int8 student lost more than the recipe allows (everything is written all
 * the same), `run.interrupted` after `options.signal`.
 *
 * @example
 * const result = await distill(parseRecipe(text), { out: 'runs/glosses', onEvent: console.log });
 * console.log(result.retention, result.speedup);
 */
export async function distill(recipe: Recipe, options: RunOptions): Promise<RunResult> {
  if (!recipe.teacher) {
    throw new LimbeckError('recipe.no-teacher', 'this recipe has no teacher', {
      where: 'teacher',
      remedy: 'Add a teacher, or train without one: `limbeck train`.',
    });
  }
  const run = await openRun(recipe, options);
  try {
    const finished = readResult(run.folder.file('result.json'), options);
    if (finished) {
      run.emit({
        type: 'log',
        level: 'info',
        message: `this run is finished: ${run.folder.file('report.html')}`,
      });
      return checkGate(finished);
    }
    const source = await openRecipeTeacher(run);
    if (!source) throw new Error('the recipe has a teacher');
    const { tokenizer } = source;
    const dataset = await dataStage(run, tokenizer);
    try {
      const teacher = await teacherStage(run, source, dataset);
      const labels = await labelStage(run, teacher, dataset);
      const student = await trainStage(run, dataset, tokenizer, labels);
      const baseline = options.baseline === false ? null : await baselineStage(run, dataset, tokenizer);
      const shipped = await exportStage(run, { dataset, tokenizer, student, baseline });
      const evaluations = await evaluateStage(run, { dataset, teacher, shipped });
      const result = await reportStage(run, { dataset, teacher, evaluations });
      return checkGate(result);
    } finally {
      dataset.close();
    }
  } finally {
    await run.close();
  }
}

/** The result of a run that is finished, with a baseline if one is wanted; undefined otherwise. */
function readResult(file: string, { baseline }: RunOptions): RunResult | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const result = runResultSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return result.baseline === null && baseline !== false ? undefined : result;
  } catch {
    // Of another version, or damaged: measuring and reporting again costs little.
    return undefined;
  }
}

function checkGate(result: RunResult): RunResult {
  const { gate } = result;
  if (gate && !gate.passed) {
    throw new LimbeckError(
      'export.gate',
      `the int8 student loses ${(100 * gate.drop).toFixed(2)} points on the test split, more than the ${(100 * gate.maxDrop).toFixed(2)} allowed`,
      {
        where: result.studentInt8?.file,
        remedy: 'Use the float32 student, or raise export.int8.maxDrop.',
      },
    );
  }
  return result;
}
