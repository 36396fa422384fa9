import * as ort from 'onnxruntime-node';
import type { Graph } from '../graph.ts';
import type { Tensor } from '../tensor.ts';
import { writeModel } from '../write-model.ts';

/** Runs a graph once on ONNX Runtime, without its optimizations unless asked, so that our passes are what is tested. */
export async function runGraph(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>> = {},
): Promise<Record<string, Tensor>> {
  const session = await ort.InferenceSession.create(writeModel(graph), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  try {
    const inputs = Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new ort.Tensor(type as ort.Tensor.Type, data as ort.Tensor.DataType, dims),
    ]);
    const results = await session.run(Object.fromEntries(inputs));
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [name, { type, dims, data } as Tensor]),
    );
  } finally {
    await session.release();
  }
}
