import type { ExitOptions } from '../../compress/exits/exit-options.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { wantedPrecisions } from '../../recipe/export.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { callsWithin, ROUNDS } from '../exits/time-exits.ts';
import { SPEED_SECONDS } from '../measuring/measure-speed.ts';
import { shippedForm } from '../shipping/shipped-form.ts';
import type { StudentCost } from './measure-student.ts';
import type { PlanningContext } from './planning-context.ts';
import { secondsPerCall } from './timing.ts';
import { evaluationOf } from './training-seconds.ts';

/** What the exits of a student cost after its training, in seconds. */
export interface ExitSeconds {
  /** To choose their thresholds on the validation split: a part of the export. */
  readonly choosing: number;
  /** To measure and time them on the test split: a part of the evaluation. */
  readonly measuring: number;
}

/** How many exits a recipe asks for; 0 without the transform. */
export function exitCount({ compress = [] }: Pick<Recipe, 'compress'>): number {
  const exits = compress.find(({ kind }) => kind === 'exits') as ExitOptions | undefined;
  if (!exits) return 0;
  const { after, resolution } = exits;
  return (typeof after === 'number' ? after : after.length) + (resolution === undefined ? 0 : 1);
}

/** What the exits of a recipe are going to cost, by a few calls of its student; nothing without exits. */
export async function exitSeconds(
  context: PlanningContext,
  cost: StudentCost,
): Promise<ExitSeconds | undefined> {
  const { recipe, data } = context;
  const exits = exitCount(recipe);
  if (exits === 0) return undefined;
  const forms = 1 + (recipe.export.int8 ? 1 : 0) + wantedPrecisions(recipe.export).length;
  const { validation, test } = data.dataset.splits;
  const perCall = await secondsOfOne(context, cost);
  const most = 2 * (context.options.timingSeconds ?? SPEED_SECONDS);
  // As it ships, without exits, and with each of them (and the end) for all samples.
  const networks = exits + 3;
  const timing = networks * ROUNDS * perCall * callsWithin(perCall, most);
  return {
    choosing: forms * evaluationOf(validation, cost.evaluation).seconds,
    measuring: forms * (evaluationOf(test, cost.evaluation).seconds + timing),
  };
}

/** Seconds of a call of one test sample. */
async function secondsOfOne(
  { engine, data, checkInterrupted }: PlanningContext,
  cost: StudentCost,
): Promise<number> {
  const calls = [...data.speedCalls(data.dataset.splits.test, 1, 8)];
  if (calls.length === 0) return 0;
  const session = await engine.load(writeModel(shippedForm(cost)));
  let call = 0;
  try {
    return await secondsPerCall(
      () => session.run(takenFeeds(session, calls[call++ % calls.length] as (typeof calls)[number])),
      checkInterrupted,
    );
  } finally {
    await session.release();
  }
}
