import * as ort from 'onnxruntime-node';
import type { Graph } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';

export type Feeds = Readonly<Record<string, Tensor>>;
export type RunGraph = (feeds: Feeds) => Promise<Record<string, Tensor>>;

/** Loads a graph into ONNX Runtime, for tests: the engine lies above this folder. */
export async function loadGraph(graph: Graph, threads = 1): Promise<RunGraph> {
  const session = await ort.InferenceSession.create(writeModel(graph), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  return async (feeds) => {
    const given: Record<string, ort.Tensor> = {};
    for (const name of session.inputNames) {
      const { type, dims, data } = feeds[name];
      given[name] = new ort.Tensor(type as 'float32', data as Float32Array, [...dims]);
    }
    const results = await session.run(given);
    const outputs: Record<string, Tensor> = {};
    for (const [name, { type, dims, data }] of Object.entries(results)) {
      outputs[name] = { type: type as Tensor['type'], dims, data: data as Tensor['data'] };
    }
    return outputs;
  };
}
