import { LimbeckError } from '../errors.ts';
import { existsSync, readdirSync, statSync } from '../platform/files.ts';
import { basename, dirname, join, relative } from '../platform/paths.ts';

/** The files of a model, found from what a recipe names. */
export interface ModelFiles {
  /** The ONNX file. */
  readonly model: string;
  /** Where files of its kind are looked for: beside it, then in the folder above `onnx/`. */
  readonly folders: readonly string[];
  readonly notes: readonly string[];
}

/** Where exporters put the model in its own precision, in the order in which they are tried. */
const USUAL = [join('onnx', 'model.onnx'), 'model.onnx'];
/** Weights that are not ONNX: what a model is exported from. */
const OTHER_WEIGHTS = /\.(safetensors|bin|pt|pth|ckpt|h5|msgpack|gguf)$|^saved_model\.pb$/i;

/**
 * The files of a model that is named by its ONNX file or by its folder, as `save_pretrained` and the Hugging Face hub lay
 * it out. In a folder it is `onnx/model.onnx`, then `model.onnx`, then the only ONNX file there is.
 *
 * @throws LimbeckError `model.not-found` where there is nothing; `teacher.model` for a folder with no ONNX file (saying how to export one) or with several of
 *   which none is the usual one (naming them)
 */
export function modelFiles(path: string): ModelFiles {
  if (!existsSync(path)) throw notThere(path);
  if (!isFolder(path)) return { model: path, folders: foldersOf(path), notes: [] };
  const found = onnxFiles(path);
  const chosen = usualModel(found);
  if (chosen === undefined) throw found.length === 0 ? noOnnx(path) : several(path, found);
  // The part of a model that writes is asked with the part that looks.
  const others = found.filter((name) => name !== chosen && !/decoder_model(_[a-z0-9]+)?\.onnx$/.test(name));
  const model = join(path, chosen);
  const notes =
    others.length > 0
      ? [`the teacher's folder has ${found.length} ONNX files: ${chosen} is asked, not ${others.join(', ')}`]
      : [];
  return { model, folders: [...new Set([...foldersOf(model), path])], notes };
}

/** The ONNX file that is meant where a folder is named: the usual one, or the only one; undefined where that cannot be told. */
export function usualModel(names: readonly string[]): string | undefined {
  return USUAL.find((name) => names.includes(name)) ?? (names.length === 1 ? names[0] : undefined);
}

/** Whether a file has weights in another format: what a model is exported from. */
export function isOtherWeights(name: string): boolean {
  return OTHER_WEIGHTS.test(name);
}

/** A file of the model by its name, in the first of its folders that has it; undefined where none has. */
export function fileOf({ folders }: Pick<ModelFiles, 'folders'>, name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path) && !isFolder(path));
}

/** Where the files of an ONNX file are looked for. */
export function foldersOf(model: string): string[] {
  const folder = dirname(model);
  return basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder];
}

/** ONNX files in a folder and in its `onnx/`, relative to it. */
function onnxFiles(folder: string): string[] {
  return [folder, join(folder, 'onnx')]
    .filter(isFolder)
    .flatMap((place) => readdirSync(place).map((name) => join(place, name)))
    .filter((path) => path.toLowerCase().endsWith('.onnx') && !isFolder(path))
    .map((path) => relative(folder, path))
    .sort();
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Names of the hub look like relative paths, so whoever gives one is told that it was taken for a path. */
function notThere(path: string): LimbeckError {
  return new LimbeckError('model.not-found', 'there is no such model file or folder', {
    where: path,
    remedy:
      'Give the path of an ONNX file or of the folder that holds it (teacher.model is relative to the recipe). A model of the Hugging Face hub is named by `teacher: { kind: hub, model: OWNER/NAME }`.',
  });
}

function noOnnx(folder: string): LimbeckError {
  const weights = readdirSync(folder).filter(isOtherWeights);
  const has = weights.length > 0 ? `; it has ${weights.slice(0, 3).join(', ')}` : '';
  return new LimbeckError('teacher.model', `the teacher's folder has no ONNX file${has}`, {
    where: folder,
    remedy: `Export it: \`optimum-cli export onnx --model ${folder} ${join(folder, 'onnx')}\` (Python: pip install optimum[onnx]).`,
  });
}

function several(folder: string, found: readonly string[]): LimbeckError {
  return new LimbeckError('teacher.model', `the teacher's folder has ${found.length} ONNX files`, {
    where: `${folder}: ${found.join(', ')}`,
    remedy: `Name the one that is to teach: teacher.model: ${join(basename(folder), found[0] as string)}`,
  });
}
