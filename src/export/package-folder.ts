import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { utf8Of } from '../platform/bytes.ts';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from '../platform/files.ts';
import { dirname, join } from '../platform/paths.ts';
import { writeError } from '../replace-file.ts';

/** A file of a package beside its models. */
export interface PackageFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Where the files are, relative to the package's folder. */
export const MODEL_FILE = 'onnx/model.onnx';
export const QUANTIZED_FILE = 'onnx/model_quantized.onnx';
export const CONFIG_FILE = 'config.json';

/**
 * Writes a model in the layout that transformers.js and the Hugging Face hub expect: the files, `onnx/model.onnx` and
 * `onnx/model_quantized.onnx`. The folder is replaced as a whole; its README.md comes later, when the measurements are
 * in. Throws LimbeckError `export.disk-full` or `export.write` (or `model.…`, for the models) when it cannot be written;
 * what was there before then stays.
 */
export function writePackage(
  folder: string,
  { model, quantized }: { readonly model: Graph; readonly quantized: Graph | null },
  files: readonly PackageFile[],
  /** Writes what else is to be there, into the folder that becomes the package. */
  more?: (partial: string) => void,
): void {
  const partial = `${folder}.partial`;
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(join(partial, dirname(MODEL_FILE)), { recursive: true });
    writeModelFile(join(partial, MODEL_FILE), model);
    if (quantized) writeModelFile(join(partial, QUANTIZED_FILE), quantized);
    for (const { name, bytes } of files) writeFileSync(join(partial, name), bytes);
    more?.(partial);
    replaceFolder(partial, folder);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw writeError(folder, cause, 'export');
  }
}

/** A file of JSON. */
export function jsonFile(name: string, content: Record<string, unknown>): PackageFile {
  return { name, bytes: utf8Of(`${JSON.stringify(content, null, 2)}\n`) };
}

/** A classifier's classes in `config.json`. */
export function classNames(labels: readonly string[]): Record<string, unknown> {
  return {
    id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    num_labels: labels.length,
  };
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

/** Whether a package is there with the files that it cannot do without. */
export function isPackage(folder: string, { quantized }: { quantized: boolean }): boolean {
  const files = ['README.md', CONFIG_FILE, MODEL_FILE, ...(quantized ? [QUANTIZED_FILE] : [])];
  return files.every((name) => existsSync(join(folder, name)));
}

/** Bytes of a model file on disk. */
export function modelBytes(path: string): number {
  return statSync(path).size;
}
