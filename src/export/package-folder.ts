import type { Graph } from '../onnx/graph.ts';
import { modelFiles } from '../onnx/node-files.ts';
import { utf8Of } from '../platform/bytes.ts';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from '../platform/files.ts';
import { dirname, join } from '../platform/paths.ts';
import { writeError, writeSynced } from '../replace-file.ts';
import { hasWriterFile, writerFileOf } from './is-writer.ts';
import { type ByPrecision, FURTHER_PRECISIONS, fileOf, type Precision } from './precisions.ts';

/** A file of a package beside its models. */
export interface PackageFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Models and files that a package has besides those that every reader looks for. */
export interface PackageAddition {
  /** By their names in the package's folder. */
  readonly models: Readonly<Record<string, Graph>>;
  readonly files: readonly PackageFile[];
}

/** A student's network in the precisions that ship. */
export interface PackageModels {
  /** In float32. */
  readonly model: Graph;
  /** In int8, or null. */
  readonly quantized: Graph | null;
  /** In further precisions, where the recipe asks for some. */
  readonly further?: ByPrecision<Graph> | undefined;
}

/** Where the files are, relative to the package's folder. */
export const MODEL_FILE = fileOf('f32');
export const QUANTIZED_FILE = fileOf('int8');
export const CONFIG_FILE = 'config.json';

/** A package in memory: what its files hold, by their names in the package's folder; a model's may come in pieces. */
export type PackageContents = ReadonlyMap<string, Iterable<Uint8Array>>;

/**
 * The package of some models, by their files' names (null for one that is left out), with other files beside them: the
 * layout that transformers.js and the Hugging Face hub expect.
 */
export function packageContents(
  models: Readonly<Record<string, Graph | null>>,
  files: readonly PackageFile[],
): PackageContents {
  const contents = new Map<string, Iterable<Uint8Array>>();
  for (const [name, graph] of Object.entries(models)) {
    // The weights of a very large one are a file of their own.
    for (const { path, pieces } of graph ? modelFiles(name, graph) : []) contents.set(path, pieces);
  }
  for (const { name, bytes } of files) contents.set(name, [bytes]);
  return contents;
}

/**
 * Writes `onnx/model.onnx`, `onnx/model_quantized.onnx`, `onnx/model_q4.onnx` and the like, other models by their names, and the files
 * beside them. The folder is replaced as a whole; its README.md comes later, when the measurements are in. Throws LimbeckError `export.disk-full` or
 * `export.write` when it cannot be written; what was there before then stays.
 */
export function writePackage(
  folder: string,
  models: PackageModels,
  files: readonly PackageFile[],
  more: Readonly<Record<string, Graph | null>> = {},
): void {
  writeContents(folder, packageContents({ ...byFile(models), ...more }, files));
}

/** A package's models by the names of their files: `onnx/STEM.onnx` and those with a suffix for their precision. */
export function byFile(
  { model, quantized, further = {} }: PackageModels,
  stem?: string,
): Readonly<Record<string, Graph | null>> {
  return {
    [fileOf('f32', stem)]: model,
    [fileOf('int8', stem)]: quantized,
    ...Object.fromEntries(
      FURTHER_PRECISIONS.map((precision) => [fileOf(precision, stem), further[precision] ?? null]),
    ),
  };
}

/** The models of a package, each changed into what ships of it. */
export function modelsAs(
  { model, quantized, further = {} }: PackageModels,
  shipped: (model: Graph) => Graph,
): PackageModels {
  const changed = FURTHER_PRECISIONS.flatMap((precision) => {
    const graph = further[precision];
    return graph ? [[precision, shipped(graph)] as const] : [];
  });
  return {
    model: shipped(model),
    quantized: quantized && shipped(quantized),
    further: Object.fromEntries(changed),
  };
}

/** An addition whose models read what those of the package read. */
export function additionAs(
  addition: PackageAddition | undefined,
  shipped: (model: Graph) => Graph,
): { readonly models: Readonly<Record<string, Graph>>; readonly files: readonly PackageFile[] } {
  const models = Object.entries(addition?.models ?? {}).map(
    ([name, model]) => [name, shipped(model)] as const,
  );
  return { models: Object.fromEntries(models), files: addition?.files ?? [] };
}

/** Puts a package in the place of a folder. Throws as `writePackage`. */
export function writeContents(folder: string, contents: PackageContents): void {
  const partial = `${folder}.partial`;
  try {
    rmSync(partial, { recursive: true, force: true });
    for (const [name, pieces] of contents) {
      const path = join(partial, name);
      mkdirSync(dirname(path), { recursive: true });
      writeSynced(path, pieces);
    }
    replaceFolder(partial, folder);
  } catch (cause) {
    throw writeError(folder, cause, 'export');
  }
}

/** A file of JSON. */
export function jsonFile(name: string, content: Record<string, unknown>): PackageFile {
  return { name, bytes: utf8Of(`${JSON.stringify(content, null, 2)}\n`) };
}

/**
 * Puts `partial` in the place of `folder`. The old one goes only when the new one is there: what a kill in between
 * leaves is both, under other names.
 */
function replaceFolder(partial: string, folder: string): void {
  const old = `${folder}.old`;
  if (existsSync(folder)) {
    rmSync(old, { recursive: true, force: true });
    renameSync(folder, old);
  }
  try {
    renameSync(partial, folder);
  } catch (cause) {
    if (existsSync(old)) renameSync(old, folder);
    throw cause;
  }
  rmSync(old, { recursive: true, force: true });
}

/** Whether a package is there with the files that it cannot do without: its models in these precisions among them. */
export function isPackage(folder: string, precisions: readonly Precision[]): boolean {
  const files = ['README.md', CONFIG_FILE, ...precisions.map((precision) => fileOf(precision))];
  return files.every((name) => existsSync(join(folder, name)));
}

/** Bytes of a model file on disk, with those of the part that writes where it has one. */
export function modelBytes(path: string): number {
  const own = statSync(path).size + (statSync(`${path}_data`, { throwIfNoEntry: false })?.size ?? 0);
  return hasWriterFile(path) ? own + modelBytes(writerFileOf(path)) : own;
}
