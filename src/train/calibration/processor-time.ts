import type { Engine, Session } from '../../engine/engine.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { processorMilliseconds } from '../../platform/machine.ts';
import { STEP_SESSION } from '../steps/step-runner.ts';

/** A model that is timed, with what it is fed. */
export interface Timed {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** Runs of each before any counts: the first one allocates. */
const WARM_UP = 1;
/** Turns after which there are no more: small models get all of them, large ones as many as the budget allows. */
const MOST_TURNS = 9;
const LEAST_TURNS = 2;
/** Processor time in milliseconds, over all models and turns. */
const BUDGET = 1500;

/**
 * The processor time of models in milliseconds, the least of some runs in which they took turns: what else the machine does
 * disturbs all of them, and the clock on the wall would count it in full. A model that cannot be loaded or run takes
 * forever.
 */
export async function processorTimes(
  engine: Engine,
  models: readonly Timed[],
  signal?: AbortSignal,
): Promise<number[]> {
  const least = models.map(() => Number.POSITIVE_INFINITY);
  const sessions: (Session | undefined)[] = [];
  try {
    for (const { graph } of models)
      sessions.push(
        await engine
          .load(writeModel(graph), { title: 'a trial of formulations', ...STEP_SESSION })
          .catch(() => undefined),
      );
    const began = processorMilliseconds();
    const isOver = (turn: number) =>
      turn >= WARM_UP + MOST_TURNS ||
      (turn >= WARM_UP + LEAST_TURNS && processorMilliseconds() - began > BUDGET);
    for (let turn = 0; !isOver(turn); turn++) {
      for (const [i, session] of sessions.entries()) {
        if (!session || signal?.aborted) continue;
        const before = processorMilliseconds();
        try {
          await session.run((models[i] as Timed).feeds);
        } catch {
          sessions[i] = undefined;
          least[i] = Number.POSITIVE_INFINITY;
          await session.release();
          continue;
        }
        const taken = processorMilliseconds() - before;
        if (turn >= WARM_UP) least[i] = Math.min(least[i] as number, taken);
      }
    }
    return least;
  } finally {
    for (const session of sessions) await session?.release();
  }
}
