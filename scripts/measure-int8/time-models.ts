import type { Engine, Session } from '../../src/engine/engine.ts';
import type { Graph } from '../../src/onnx/graph.ts';
import type { Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write-model.ts';

/**
 * Milliseconds of processor time per run, the least of `rounds` for each model. Processor time, of engines with one
 * thread, is not moved by what else the machine does; models take turns, so that its caches and clock favour none.
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
      const start = process.cpuUsage();
      await session.run(feeds);
      const { user, system } = process.cpuUsage(start);
      const took = (user + system) / 1000;
      if (round >= 2) least.set(name, Math.min(least.get(name) ?? Number.POSITIVE_INFINITY, took));
    }
  }
  for (const session of sessions.values()) await session.release();
  return least;
}
