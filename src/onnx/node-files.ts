import { LimbeckError } from '../errors.ts';
import { basename, dirname, join, resolve } from '../platform/paths.ts';
import { readRegularFile } from '../regular-file.ts';
import type { Graph } from './graph.ts';
import { modelPieces } from './model-pieces.ts';
import { ExternalDataFolder } from './node-files/external-data-folder.ts';
import { type ModelFile, replaceFiles } from './node-files/replace-files.ts';
import { skimModel } from './node-files/skim-model.ts';
import { readModel } from './read-model.ts';
import { isStored, tensorByteLength } from './stored-tensor.ts';
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

/** Tensors of fewer bytes are read with the model. */
const KEPT_IN_FILE_FROM = 2 ** 16;

/**
 * Opens an ONNX file whose weights stay where they are, in the file or beside it: each is read when it is looked at, and let go
 * again (`storedTensor`). Of a model of many gigabytes no more is held than its nodes and its small tensors.
 *
 * @param least tensors of fewer bytes are read at once
 * @throws what `readModelFile` throws; a tensor's `data` throws `model.external-data` where its file was changed meanwhile
 */
export function openModelFile(
  path: string,
  least = KEPT_IN_FILE_FROM,
): { graph: Graph; files: readonly string[] } {
  const folder = new ExternalDataFolder(path);
  const read = (location: string, offset: number, length: number) => folder.read(location, offset, length);
  const later = (location: string, offset: number, length: number) =>
    length >= least ? folder.later(location, offset, length) : undefined;
  try {
    const graph = readModel(skimmed(path, Math.max(least, 1)), {
      title: path,
      externalData: Object.assign(read, { later }),
    });
    return { graph, files: [...new Set([resolve(path), ...folder.paths])] };
  } finally {
    folder.close();
  }
}

function skimmed(path: string, least: number): Uint8Array {
  try {
    return skimModel(path, basename(path), least);
  } catch (cause) {
    if (!(cause instanceof LimbeckError) || cause.code !== 'model.malformed') throw unreadable(path, cause);
    throw new LimbeckError(cause.code, cause.message, {
      where: path,
      ...(cause.remedy && { remedy: cause.remedy }),
      cause,
    });
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
    bytes += tensorByteLength(tensor);
  }
  if (!(options.externalData ?? bytes > EXTERNAL_DATA_FROM_BYTES)) {
    // What lies in files is written piece by piece, so that it is never held whole.
    const isLazy = [...graph.initializers.values()].some(isStored);
    return [{ path, pieces: isLazy ? modelPieces(graph, options) : [writeModel(graph, options)] }];
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
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): LimbeckError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  return new LimbeckError(
    missing ? 'model.not-found' : 'model.unreadable',
    missing ? 'there is no such model file' : `the model file cannot be read: ${(cause as Error).message}`,
    { where: path, remedy: 'Check the path.', cause },
  );
}
