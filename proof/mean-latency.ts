import { readFileSync } from 'node:fs';
import type { Engine, Session } from '../src/engine/engine.ts';
import type { Recipe } from '../src/index.ts';
import { readModel } from '../src/onnx/read-model.ts';
import type { Tensor } from '../src/onnx/tensor.ts';
import { meanLatencies } from '../src/run/exits/time-exits.ts';
import { shippedFeeds } from '../src/run/measuring/shipped-calls.ts';
import { openTask } from '../src/run/tasks/index.ts';
import { RECIPES } from './distil-recipe.ts';

/** So many test samples of a run, each as a call of its own. */
export async function testCalls(recipe: Recipe, out: string, count: number) {
  const task = await openTask({ recipe, options: { out, recipeFolder: RECIPES } });
  const data = await task.prepareData({});
  try {
    return [...data.speedCalls(data.dataset.splits.test, 1, count)];
  } finally {
    data.dataset.close();
  }
}

/** Mean milliseconds of a call of each file, in turns, for about `seconds` each. Files that want colours are given grey in three channels. */
export async function latenciesOf(
  engine: Engine,
  files: readonly string[],
  calls: readonly Readonly<Record<string, Tensor>>[],
  seconds: number,
): Promise<readonly number[]> {
  const sessions = await Promise.all(files.map((file) => shippedSession(engine, readFileSync(file))));
  try {
    return (await meanLatencies(sessions, calls, seconds)).means;
  } finally {
    for (const session of sessions) await session.release();
  }
}

/** A session that takes the calls of models in training, made into its own before the first round is over. */
async function shippedSession(engine: Engine, file: Uint8Array): Promise<Session> {
  const session = await engine.load(new Uint8Array(file));
  const shipped = shippedFeeds(readModel(file));
  const fitted = new WeakMap<object, ReturnType<typeof shipped>>();
  return {
    ...session,
    release: () => session.release(),
    run(feeds, fetches) {
      const own = fitted.get(feeds) ?? shipped(feeds);
      fitted.set(feeds, own);
      return session.run(own, fetches);
    },
  };
}
