import { LimbeckError } from '../errors.ts';
import { basename, dirname, join, resolve } from '../platform/paths.ts';
import { readRegularFile } from '../regular-file.ts';
import { tensorBytes } from './encode-tensor.ts';
import type { Graph } from './graph.ts';
import { ExternalDataFolder } from './node-files/external-data-folder.ts';
import { type ModelFile, replaceFiles } from './node-files/replace-files.ts';
import { readModel } from './read-model.ts';
import { type WriteModelOptions, writeModel, writeModelWithExternalData } from './write-model.ts';

/**
 * Reads an ONNX file and the data files beside it. Data is read tensor by tensor and only from the model's own
 * folder.
 *
 * @throws LimbeckError `model.not-found`, `model.external-data`, and what `readModel` throws.
 */
export function readModelFile(path: string): Graph {
  return readModelWithFiles(path).graph;
}

/** The same, with the absolute paths of all files that were read: the model's own and those of its data. */
export function readModelWithFiles(path: string): { graph: Graph; files: readonly string[] } {
  const bytes = readBytes(path);
  const folder = new ExternalDataFolder(path);
  try {
    const graph = readModel(bytes, {
      title: path,
      externalData: (location, offset, length) => folder.read(location, offset, length),
    });
    return { graph, files: [resolve(path), ...folder.paths] };
  } finally {
    folder.close();
  }
}

export interface WriteModelFileOptions extends WriteModelOptions {
  /** Whether tensors go to a second file `<path>_data`; by default when they have more than 1.5 GB in all. */
  externalData?: boolean;
}

const EXTERNAL_DATA_FROM_BYTES = 1.5e9;

/**
 * Writes a model so that `path` is either the old file or the whole new one, whatever happens meanwhile.
 *
 * @throws LimbeckError `model.disk-full`, `model.write`: nothing is left behind.
 */
export function writeModelFile(path: string, graph: Graph, options: WriteModelFileOptions = {}): void {
  replaceFiles(modelFiles(path, graph, options));
}

/** The files that `writeModelFile` writes, data first. */
export function modelFiles(path: string, graph: Graph, options: WriteModelFileOptions = {}): ModelFile[] {
  let bytes = 0;
  for (const tensor of graph.initializers.values()) {
    if (tensor.type !== 'string') bytes += tensorBytes(tensor).byteLength;
  }
  if (!(options.externalData ?? bytes > EXTERNAL_DATA_FROM_BYTES)) {
    return [{ path, pieces: [writeModel(graph, options)] }];
  }
  // The name that transformers.js looks for.
  const fileName = `${basename(path)}_data`;
  const { model, data } = writeModelWithExternalData(graph, { ...options, fileName });
  return [
    { path: join(dirname(path), fileName), pieces: data },
    { path, pieces: [model] },
  ];
}

function readBytes(path: string): Uint8Array {
  try {
    return readRegularFile(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new LimbeckError(
      missing ? 'model.not-found' : 'model.unreadable',
      missing ? 'there is no such model file' : `the model file cannot be read: ${(cause as Error).message}`,
      { where: path, remedy: 'Check the path.', cause },
    );
  }
}
