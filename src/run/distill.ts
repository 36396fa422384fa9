import { isPackage } from '../export/package-folder.ts';
import { existsSync } from '../platform/files.ts';
import { type Recipe, requireTeacher } from '../recipe/schema.ts';
import { readRegularText } from '../regular-file.ts';
import { type RunResult, runResultSchema, shippingPrecisions } from '../report/result.ts';
import { studentShips } from '../report/runtime-gates.ts';
import { isCompared } from './context/compared.ts';
import { openRun } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import type { RunFolder } from './folder/run-folder.ts';
import { sameBounds } from './gates/same-bounds.ts';
import { REJECTED_STUDENT } from './shipping/rejected-student.ts';
import { DISTILL } from './stages/index.ts';
import { registeredNames } from './stages/registered.ts';
import { RESULT } from './stages/report.ts';
import { runStages } from './stages/runner.ts';

/**
 * Distils: reads the data, makes the teacher ready, labels, trains the student and its baseline, exports, measures
 * the files that ship, and reports. Everything lands in the folder `options.out`; called again on a folder that was
 * cut off it goes on, and ends in the same bits; on a finished one it answers at once.
 *
 * `result.metrics` says what the models are judged by, whatever they answer; `student.accuracy` and `student.macroF1` are there
 * where that is one class a sample. `result.gate.passed` tells whether the int8 student lost no more on the test split than the
 * recipe allows.
 *
 * @throws LimbeckError; `export.int8-drop` (with the layers that lost most) when int8 loses too much on the validation
 * split whatever is kept in float32, `run.interrupted` after `options.signal`.
 *
 * @example
 * const result = await distill(parseRecipe(text), { out: 'runs/glosses', onEvent: console.log });
 * console.log(result.retention, result.speedup);
 */
export async function distill(recipe: Recipe, options: RunOptions): Promise<RunResult> {
  requireTeacher(recipe);
  const run = await openRun(recipe, options);
  try {
    const finished = readResult(run.folder, recipe, options);
    if (finished) {
      run.emit({
        type: 'log',
        level: 'info',
        message: `this run is finished: ${run.folder.file('report.html')}`,
      });
      return finished;
    }
    run.store.requireWritable();
    run.folder.acceptTeaching('teacher');
    const { result } = await runStages(run, DISTILL, { result: RESULT });
    return result as RunResult;
  } finally {
    await run.close();
  }
}

/**
 * The result of a run that is finished and whole, with a baseline if one is wanted; undefined otherwise. A run whose
 * student or page is gone (an export was killed, a person cleaned up) writes them again; one whose bounds were changed measures anew.
 */
function readResult(folder: RunFolder, recipe: Recipe, options: RunOptions): RunResult | undefined {
  const file = folder.file('result.json');
  if (!existsSync(file)) return undefined;
  try {
    const result = runResultSchema.parse(JSON.parse(readRegularText(file)));
    const hasBaseline = result.baseline !== null || (result.baselines?.length ?? 0) > 0;
    if (!hasBaseline && isCompared(recipe, options)) return undefined;
    // A stage that was registered since is still to do.
    if (registeredNames().some((name) => result.seconds[name] === undefined)) return undefined;
    if (!sameBounds(recipe, result)) return undefined;
    // What was damaged is made again: the student, the numbers, the teacher, what they are compared with.
    const ships = studentShips(result);
    const problem =
      (ships ? folder.problemOf('student') : undefined) ?? folder.problemOf('result.json') ?? folder.damage();
    if (problem !== undefined) return undefined;
    const isLeft = ships
      ? isPackage(folder.file('student'), shippingPrecisions(result))
      : existsSync(folder.file(REJECTED_STUDENT)) && !existsSync(folder.file('student'));
    return isLeft && existsSync(folder.file('report.html')) ? result : undefined;
  } catch {
    // Of another version, or damaged: measuring and reporting again costs little.
    return undefined;
  }
}
