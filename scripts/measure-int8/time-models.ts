import type { Engine, Session } from '../../src/engine/engine.ts';
import type { Graph } from '../../src/onnx/graph.ts';
import type { Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write-model.ts';

/**
 * Milliseconds per run, the least of `rounds` for each model. Models take turns, so that a machine that is busy at
 * times is busy for all of them; the least is what the model itself costs.
 */
export async function timeModels(
  graphs: ReadonlyMap<string, Graph>,
  engine: Engine,
  feeds: Readonly<Record<string, Tensor>>,
  rounds: number,
): Promise<Map<string, number>> {
  const sessions = new Map<string, Session>();
  const least = new Map<string, number>();
  for (const [name, graph] of graphs) sessions.set(name, await engine.load(writeModel(graph)));
  for (let round = 0; round < rounds + 2; round++) {
    for (const [name, session] of sessions) {
      const start = performance.now();
      await session.run(feeds);
      const took = performance.now() - start;
      if (round >= 2) least.set(name, Math.min(least.get(name) ?? Number.POSITIVE_INFINITY, took));
    }
  }
  for (const session of sessions.values()) await session.release();
  return least;
}
