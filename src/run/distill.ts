import { isPackage } from '../export/package-folder.ts';
import { knowledgeRequests } from '../objectives/index.ts';
import { existsSync } from '../platform/files.ts';
import { type Recipe, requireTeacher } from '../recipe/schema.ts';
import { readRegularText } from '../regular-file.ts';
import { int8Ships, type RunResult, runResultSchema } from '../report/result.ts';
import type { RunOptions } from './api.ts';
import { objectiveContext } from './pair-context.ts';
import { openRun } from './run-context.ts';
import type { RunFolder } from './run-folder.ts';
import { dataStage } from './stages/data.ts';
import { evaluateStage } from './stages/evaluate.ts';
import { exportStage } from './stages/export.ts';
import { labelStage } from './stages/label.ts';
import { linearPeers, withAssistant } from './stages/peer.ts';
import { reportStage } from './stages/report.ts';
import { teacherStage } from './stages/teacher.ts';
import { baselineStage, trainStage } from './stages/train.ts';
import { openTask } from './tasks/index.ts';

/**
 * Distils: reads the data, makes the teacher ready, labels, trains the student and its baseline, exports, measures
 * the files that ship, and reports. Everything lands in the folder `options.out`; called again on a folder that was
 * cut off it goes on, and ends in the same bits; on a finished one it answers at once.
 *
 * `result.gate.passed` tells whether the int8 student lost no more on the test split than the recipe allows.
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
    const finished = readResult(run.folder, options);
    if (finished) {
      run.emit({
        type: 'log',
        level: 'info',
        message: `this run is finished: ${run.folder.file('report.html')}`,
      });
      return finished;
    }
    run.folder.acceptTeaching('teacher');
    const data = await dataStage(run, await openTask(run));
    try {
      const teacher = await teacherStage(run, data);
      const context = await objectiveContext(run, data, teacher);
      const requests = knowledgeRequests(recipe.objective, context);
      const answers = await labelStage(run, teacher, data, requests);
      const compared = options.baseline !== false;
      const peers = await linearPeers(run, data, answers, { compared });
      const student = await trainStage(run, data, {
        answers,
        context: withAssistant(context, peers.assistant),
      });
      const baseline = compared ? await baselineStage(run, data) : null;
      const shipped = await exportStage(run, { data, student, baseline, peers: peers.compared });
      const evaluations = await evaluateStage(run, { data, teacher, shipped });
      return await reportStage(run, { data, teacher, evaluations, context });
    } finally {
      data.dataset.close();
    }
  } finally {
    await run.close();
  }
}

/**
 * The result of a run that is finished and whole, with a baseline if one is wanted; undefined otherwise. A run whose
 * student or page is gone (an export was killed, a person cleaned up) writes them again.
 */
function readResult(folder: RunFolder, { baseline }: RunOptions): RunResult | undefined {
  const file = folder.file('result.json');
  if (!existsSync(file)) return undefined;
  try {
    const result = runResultSchema.parse(JSON.parse(readRegularText(file)));
    if (result.baseline === null && baseline !== false) return undefined;
    // What was damaged is made again: the student, the numbers, the teacher, what they are compared with.
    const problem = folder.problemOf('student') ?? folder.problemOf('result.json') ?? folder.damage();
    if (problem !== undefined) return undefined;
    const whole =
      isPackage(folder.file('student'), { quantized: int8Ships(result) }) &&
      existsSync(folder.file('report.html'));
    return whole ? result : undefined;
  } catch {
    // Of another version, or damaged: measuring and reporting again costs little.
    return undefined;
  }
}
