import {
  type HubFile,
  type HubOptions,
  type HubRepository,
  hubAddress,
  hubModel,
} from '../../data/hub/repository.ts';
import type { RetryOptions } from '../../data/hub/retrying-fetch.ts';
import { LimbeckError } from '../../errors.ts';
import { externalLocations } from '../../onnx/external-locations.ts';
import { existsSync, mkdirSync } from '../../platform/files.ts';
import { dirname, join } from '../../platform/paths.ts';
import { readRegularFileAsync } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { MOST_BYTES_OF_SETTINGS, readSettingsText } from '../../settings-file.ts';
import { requireFreeSpace } from '../free-space.ts';
import { foldersOf, isOtherWeights, type ModelFiles, modelFiles, usualModel } from '../model-folder.ts';
import { CachedModel, isCommit, isOffline, sharedCache } from './cache.ts';

/** A model on a hub, as a recipe names it. */
export interface HubModelName {
  /** `OWNER/NAME`. */
  readonly model: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** Which of its ONNX files; the usual one when absent. */
  readonly file?: string | undefined;
  /** The hub; HF_ENDPOINT or the public one when absent. */
  readonly endpoint?: string | undefined;
}

export interface SnapshotOptions extends RetryOptions {
  /** Where models of hubs are kept that a recipe chose and the person did not: never in the cache that other programs trust. */
  readonly ownCache: string;
  readonly signal?: AbortSignal | undefined;
  /** Told before something is downloaded. */
  tell?(message: string): void;
  /**
   * Called when the small files are here, before the weights are downloaded: what it throws ends it.
   *
   * @param files the folders in which they are looked for
   */
  accept?(files: Pick<ModelFiles, 'folders'>): void;
}

/** A model of a hub, on this machine. */
export interface HubSnapshot {
  /** The ONNX file; what else the model consists of lies beside it, or in the folder above `onnx/`. */
  readonly model: string;
  readonly commit: string;
  /** What was assumed. */
  readonly notes: readonly string[];
  /** What it is: its commit, its licence. */
  readonly origin: readonly string[];
  /** Its licence, as its README has it; undefined where nothing says it. */
  readonly license: string | undefined;
}

/** What models are read by, beside their weights. */
const SETTINGS =
  /^(onnx\/)?((config|tokenizer|tokenizer_config|special_tokens_map|preprocessor_config|processor_config|modules|sentence_[\w-]+_config|config_sentence_transformers)\.json|chat_template\.jinja|vocab\.(txt|json)|spiece\.model|sentencepiece\.bpe\.model|tokenizer\.model|README\.md)$|^[\w-]+\/config\.json$/;

/**
 * Downloads what a model needs to teach, once: its ONNX file with its data, its configuration, its tokenizer. What is there
 * is checked by its hash and not fetched again; what broke off goes on. Where the hub cannot be reached, or may not be asked
 * (HF_HUB_OFFLINE), the commit that is in the cache is taken, and that is noted. A commit that is here is not asked about.
 *
 * @throws LimbeckError `teacher.not-found`, `teacher.forbidden`, `teacher.offline`, `data.download`, `data.checksum`,
 *   `data.disk-full`; `teacher.model` for a repository without ONNX (saying how to export it), or with several files of which
 *   none is the usual one
 */
export async function hubSnapshot(name: HubModelName, options: SnapshotOptions): Promise<HubSnapshot> {
  const { hubUrl } = hubAddress(name.endpoint);
  const cache = cacheOf(name, options);
  const cached = cache.commitOf(name.revision);
  const here = async () =>
    cached === undefined ? undefined : cachedModel(cache.snapshot(cached), name.file);
  if (isOffline() || isCommit(name.revision)) {
    const model = await here();
    if (model !== undefined && cached !== undefined) return snapshotAt(name, cached, model, []);
    if (isOffline()) throw notCached(name, hubUrl);
  }
  let repository: HubRepository;
  try {
    repository = await hubModel(name.model, name.revision, {
      ...hubOptions(name, options),
      // What is here serves, too.
      ...(cached !== undefined && { attempts: 2 }),
    });
  } catch (error) {
    const model = error instanceof LimbeckError && error.code === 'data.download' ? await here() : undefined;
    if (model === undefined || cached === undefined) throw error;
    return snapshotAt(name, cached, model, [
      `the hub cannot be reached: ${name.model} is taken as it was at commit ${cached.slice(0, 12)}`,
    ]);
  }
  const folder = cache.snapshot(repository.sha);
  const model = await fetchModel(repository, name, folder, options);
  const ref = cache.refFile(name.revision);
  if (!isCommit(name.revision)) {
    mkdirSync(dirname(ref), { recursive: true });
    replaceFile(ref, repository.sha, 'teacher');
  }
  return snapshotAt(name, repository.sha, model, []);
}

/** What is still to be downloaded of a model. */
export interface HubDownload {
  readonly commit: string;
  /** Its ONNX file. */
  readonly file: string;
  /** Of it and its data. */
  readonly bytes: number;
  /** Where it will lie. */
  readonly folder: string;
}

/** What `hubSnapshot` would download, which is asked for nothing; undefined where it is here. @throws LimbeckError as that */
export async function hubDownload(
  name: HubModelName,
  options: SnapshotOptions,
): Promise<HubDownload | undefined> {
  const cache = cacheOf(name, options);
  const cached = cache.commitOf(name.revision);
  const isKnown = isOffline() || isCommit(name.revision);
  if (isKnown && cached !== undefined && (await cachedModel(cache.snapshot(cached), name.file)))
    return undefined;
  const repository = await hubModel(name.model, name.revision, hubOptions(name, options));
  const { path: file } = chosenFile(repository, name);
  const folder = cache.snapshot(repository.sha);
  if (await cachedModel(folder, file)) return undefined;
  return { commit: repository.sha, file, bytes: bytesOf(repository, file), folder };
}

function cacheOf({ endpoint, model }: HubModelName, { ownCache }: SnapshotOptions): CachedModel {
  const { hubUrl, trusted } = hubAddress(endpoint);
  return new CachedModel(trusted ? sharedCache() : join(ownCache, folderName(hubUrl)), model);
}

function hubOptions({ endpoint }: HubModelName, options: SnapshotOptions): HubOptions {
  const { fetch, attempts, backoff, signal } = options;
  return {
    ...(fetch && { fetch }),
    ...(attempts !== undefined && { attempts }),
    ...(backoff !== undefined && { backoff }),
    ...(signal && { signal }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

/** Of an ONNX file with what is called as it is, and more: `model.onnx_data`, `model.onnx_data_1`. */
function bytesOf({ files }: HubRepository, model: string): number {
  return files.reduce((sum, { path, bytes }) => (path.startsWith(model) ? sum + bytes : sum), 0);
}

async function fetchModel(
  repository: HubRepository,
  name: HubModelName,
  folder: string,
  { tell, accept }: Pick<SnapshotOptions, 'tell' | 'accept'>,
): Promise<string> {
  const chosen = chosenFile(repository, name);
  const { files } = repository;
  for (const file of files.filter(({ path }) => SETTINGS.test(path))) {
    if (file.bytes > MOST_BYTES_OF_SETTINGS) {
      throw new LimbeckError('teacher.config', `${file.path} has ${megabytes(file.bytes)}`, {
        where: `${repository.hubUrl}/${name.model}`,
        remedy: `Files like this have ${megabytes(MOST_BYTES_OF_SETTINGS)} at most: take another model.`,
      });
    }
    await repository.fetchFile(file, folder);
  }
  if (!existsSync(join(folder, chosen.path))) {
    accept?.({ folders: foldersOf(join(folder, chosen.path)) });
    const bytes = bytesOf(repository, chosen.path);
    requireFreeSpace(folder, bytes, {
      what: `the download of ${name.model} (${chosen.path})`,
      remedy: 'Make room, set HF_HOME to a folder on another disk, or name a smaller file (teacher.file).',
    });
    tell?.(
      `downloads ${name.model} at commit ${repository.sha.slice(0, 12)}: ${chosen.path}, ${megabytes(bytes)}, into ${folder}`,
    );
  }
  const model = await repository.fetchFile(chosen, folder);
  for (const location of externalLocations(await readRegularFileAsync(model), model)) {
    const path = [...chosen.path.split('/').slice(0, -1), location].join('/');
    const file = files.find((one) => one.path === path);
    if (!file) {
      throw new LimbeckError(
        'teacher.model',
        `the model's data file '${location}' is not in its repository`,
        {
          where: `${repository.hubUrl}/${name.model}, ${chosen.path}`,
          remedy: 'Name another of its ONNX files (teacher.file), or export it again.',
        },
      );
    }
    await repository.fetchFile(file, folder);
  }
  return model;
}

function chosenFile({ files, hubUrl }: HubRepository, { model, file }: HubModelName): HubFile {
  const found = files.filter(({ path }) => path.toLowerCase().endsWith('.onnx'));
  const where = `${hubUrl}/${model}`;
  const list = found.map(({ path }) => path).join(', ');
  if (file !== undefined) {
    const named = files.find(({ path }) => path === file);
    if (named) return named;
    throw new LimbeckError('teacher.model', `the repository has no file '${file}'`, {
      where,
      remedy: found.length > 0 ? `Name one of its ONNX files (teacher.file): ${list}.` : exportRemedy(model),
    });
  }
  // Files elsewhere are of other runtimes, or parts.
  const near = found.filter(({ path }) => /^(onnx\/)?[^/]+$/.test(path));
  const among = near.length > 0 ? near : found;
  const usual = usualModel(among.map(({ path }) => join(...(path.split('/') as [string]))));
  const chosen = among.find(
    ({ path }) => usual !== undefined && join(...(path.split('/') as [string])) === usual,
  );
  if (chosen) return chosen;
  if (found.length > 0) {
    throw new LimbeckError('teacher.model', `the repository has ${found.length} ONNX files`, {
      where: `${where}: ${list}`,
      remedy: `Name the one that is to teach: teacher.file: ${among[0]?.path}`,
    });
  }
  const weights = files.flatMap(({ path }) => (isOtherWeights(path) ? [path] : []));
  const has = weights.length > 0 ? `; it has ${weights.slice(0, 3).join(', ')}` : '';
  throw new LimbeckError('teacher.model', `the repository has no ONNX file${has}`, {
    where,
    remedy: exportRemedy(model),
  });
}

function exportRemedy(model: string): string {
  const folder = model.split('/').at(-1);
  return `Export it: \`optimum-cli export onnx --model ${model} ${folder}\` (Python: pip install optimum[onnx]), then name the folder: teacher: { kind: onnx, model: ${folder} } (onnx-image for images, onnx-audio for audio).`;
}

/** The ONNX file of a folder in a cache, if all of it is there: a download may have ended before its data files were. */
async function cachedModel(folder: string, file: string | undefined): Promise<string | undefined> {
  let model: string;
  try {
    model = modelFiles(file === undefined ? folder : join(folder, ...file.split('/'))).model;
  } catch {
    return undefined;
  }
  let locations: readonly string[] = [];
  try {
    locations = externalLocations(await readRegularFileAsync(model), model);
  } catch {
    // Who opens it is told what is wrong with it.
  }
  return locations.every((location) => existsSync(join(dirname(model), location))) ? model : undefined;
}

function snapshotAt(
  { model, revision }: HubModelName,
  commit: string,
  path: string,
  notes: readonly string[],
): HubSnapshot {
  const licence = licenceIn(path);
  return {
    model: path,
    commit,
    notes,
    license: licence,
    origin: [
      ...(isCommit(revision)
        ? []
        : [
            `the teacher is ${model} at commit ${commit}, which is its ${revision} now (teacher.revision names one for good)`,
          ]),
      licence === undefined
        ? `nothing says under which licence ${model} is`
        : `the licence of ${model} is ${licence}`,
    ],
  };
}

/** What the front matter of its README says. */
function licenceIn(model: string): string | undefined {
  const readme = [dirname(model), dirname(dirname(model))]
    .map((folder) => join(folder, 'README.md'))
    .find((path) => existsSync(path));
  const front = readme && /^---\r?\n(.*?)\r?\n---/s.exec(readSettingsText(readme))?.[1];
  return front === undefined ? undefined : /^license:\s*([\w.+-]+)\s*$/m.exec(front)?.[1];
}

function notCached({ model, revision }: HubModelName, hubUrl: string): LimbeckError {
  return new LimbeckError('teacher.offline', `${model} is not in the cache, and no hub may be asked`, {
    where: `${hubUrl}/${model}, revision ${revision}; HF_HUB_OFFLINE is set`,
    remedy: 'Run once with a connection and without HF_HUB_OFFLINE, or set HF_HOME to the cache that has it.',
  });
}

/** A hub's address as the name of a folder. */
function folderName(hubUrl: string): string {
  return hubUrl.replace(/[^A-Za-z0-9.-]+/g, '_').slice(0, 100);
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
