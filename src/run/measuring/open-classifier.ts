import type { Engine, Session } from '../../engine/engine.ts';
import { imageChannels, PIXEL_INPUT, withGreyInput } from '../../export/image-channels.ts';
import { isWriter } from '../../export/is-writer.ts';
import { withoutPast } from '../../generate/without-past.ts';
import type { Graph } from '../../onnx/graph.ts';
import { openModelFile } from '../../onnx/node-files.ts';
import { type Tensor, tensor } from '../../onnx/tensor.ts';
import type { TaskData } from '../context/task.ts';

/**
 * Loads a classifier to be fed the batches of a task. A model of three channels, as students of grey images ship, is given
 * a grey image three times, as transformers.js does; a decoder with a cache reads texts whole; one that writes about images does so
 * besides (`writingSession`).
 */
export async function openClassifier(engine: Pick<Engine, 'load'>, file: string): Promise<Session> {
  const { graph } = openModelFile(file);
  const channels = imageChannels(graph);
  const session = await openModel(engine, file, graph);
  if (channels !== 3) return session;
  return {
    ...session,
    run: (feeds, fetches) => session.run(inThreeChannels(feeds), fetches),
    release: () => session.release(),
  };
}

async function openModel(engine: Pick<Engine, 'load'>, file: string, graph: Graph): Promise<Session> {
  if (!isWriter(file, graph)) return withoutPast(await engine.load(file));
  // Loaded where it is used: pages do not pay for it.
  const { openWriter } = await import('../../export/open-writer.ts');
  return openWriter(engine, file, graph);
}

/** A shipped model's graph with the inputs that the task's batches have. */
export function fedAs({ pixelRange }: Pick<TaskData, 'pixelRange'>, graph: Graph): Graph {
  return pixelRange?.mean.length === 1 && imageChannels(graph) === 3 ? withGreyInput(graph) : graph;
}

/** Feeds with a grey image three times, as a shipped model of three channels takes it. */
export function inThreeChannels(feeds: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  const pixels = feeds[PIXEL_INPUT];
  if (pixels?.dims[1] !== 1) return feeds;
  const [rows, , height, width] = pixels.dims as [number, number, number, number];
  const plane = height * width;
  const grey = pixels.data as Float32Array;
  const repeated = new Float32Array(3 * grey.length);
  for (let row = 0; row < rows; row++) {
    const image = grey.subarray(row * plane, (row + 1) * plane);
    for (let channel = 0; channel < 3; channel++) repeated.set(image, (3 * row + channel) * plane);
  }
  return { ...feeds, [PIXEL_INPUT]: tensor('float32', [rows, 3, height, width], repeated) };
}
