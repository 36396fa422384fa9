import { parse } from 'yaml';
import { LimbeckError } from '../../errors.ts';
import type { SplitName } from '../sample.ts';
import { splitNamed } from '../sources/fields.ts';
import { matchesGlob } from './glob.ts';
import type { HubFile } from './repository.ts';

/** A file of rows in a repository, and the split that it belongs to. */
export interface SplitFile {
  file: HubFile;
  split: SplitName;
}

const ROWS = /\.(parquet|jsonl|ndjson|csv|tsv)$/i;

/**
 * Which files of a repository hold which split: by the `configs` in the front matter of its README (the hub's own
 * way, https://huggingface.co/docs/hub/datasets-manual-configuration), or by names such as `data/train-00000.parquet`
 * and `test/part.csv`.
 *
 * Throws LimbeckError `data.config` where the data set has several configurations and none is chosen, and
 * `data.no-files` where nothing is readable.
 */
export function splitFiles(
  files: readonly HubFile[],
  readme: string | undefined,
  config: string | undefined,
  name: string,
): SplitFile[] {
  const readable = files.filter(({ path }) => ROWS.test(path));
  const configs = readmeConfigs(readme);
  const found =
    configs.length > 0 ? byReadme(readable, configs, config, name) : byName(readable, config, name);
  if (found.length === 0) {
    throw new LimbeckError('data.no-files', 'the data set has no files that can be read', {
      where: `${name}: ${files
        .map(({ path }) => path)
        .join(', ')
        .slice(0, 300)}`,
      remedy:
        'Parquet, JSONL, CSV and TSV can be read. For others try revision: refs/convert/parquet, where the hub ' +
        'keeps its own Parquet copies.',
    });
  }
  return found;
}

interface ReadmeConfig {
  name: string;
  default: boolean;
  files: { split: string; patterns: string[] }[];
}

function byReadme(
  files: readonly HubFile[],
  configs: ReadmeConfig[],
  config: string | undefined,
  name: string,
) {
  const names = configs.map((one) => one.name);
  const chosen =
    config === undefined
      ? (configs.find((one) => one.default) ?? (configs.length === 1 ? configs[0] : undefined))
      : configs.find((one) => one.name === config);
  if (!chosen) throw chooseConfig(names, config, name);
  return chosen.files.flatMap(({ split, patterns }) => {
    const known = splitNamed(split);
    if (!known) return [];
    return files
      .filter(({ path }) => patterns.some((pattern) => matchesGlob(path, pattern)))
      .map((file) => ({ file, split: known }));
  });
}

/** By folder and file names; of a file in several formats the first of Parquet, JSONL, CSV is taken. */
function byName(files: readonly HubFile[], config: string | undefined, name: string): SplitFile[] {
  const folders = new Set(files.map(({ path }) => topFolder(path)));
  folders.delete('');
  folders.delete('data');
  const configs = [...folders].filter((folder) => !splitNamed(folder));
  if (config === undefined ? configs.length > 1 : !configs.includes(config) && config !== 'default') {
    throw chooseConfig(configs, config, name);
  }
  const inConfig = files.filter(
    ({ path }) => configs.length === 0 || topFolder(path) === (config ?? configs[0]),
  );
  const format = ['parquet', 'jsonl', 'ndjson', 'csv', 'tsv'].find((extension) =>
    inConfig.some(({ path }) => path.toLowerCase().endsWith(`.${extension}`)),
  );
  return inConfig
    .filter(({ path }) => path.toLowerCase().endsWith(`.${format}`))
    .map((file) => ({ file, split: splitInPath(file.path) ?? 'train' }));
}

function topFolder(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

/** The last word of the path that names a split. */
function splitInPath(path: string): SplitName | undefined {
  const words = path.split(/[^A-Za-z]+/).slice(0, -1);
  return words
    .map(splitNamed)
    .filter((split) => split !== undefined)
    .at(-1);
}

function readmeConfigs(readme: string | undefined): ReadmeConfig[] {
  const front = /^---\r?\n(.*?)\r?\n---/s.exec(readme ?? '')?.[1];
  if (!front) return [];
  let header: { configs?: unknown };
  try {
    header = parse(front) as { configs?: unknown };
  } catch {
    return [];
  }
  if (!Array.isArray(header?.configs)) return [];
  return header.configs.flatMap(
    (entry: { config_name?: string; default?: boolean; data_files?: unknown }) => {
      const files = dataFiles(entry?.data_files);
      if (files.length === 0) return [];
      return [{ name: entry.config_name ?? 'default', default: entry.default === true, files }];
    },
  );
}

/** `data_files` is a pattern, a list of patterns, or a list of `{ split, path }`. */
function dataFiles(value: unknown): { split: string; patterns: string[] }[] {
  const entries = Array.isArray(value) ? value : [value];
  return entries.flatMap((entry: unknown) => {
    if (typeof entry === 'string') return [{ split: 'train', patterns: [entry] }];
    const { split, path } = (entry ?? {}) as { split?: unknown; path?: unknown };
    if (path === undefined) return [];
    return [{ split: typeof split === 'string' ? split : 'train', patterns: [path].flat().map(String) }];
  });
}

function chooseConfig(configs: string[], config: string | undefined, name: string): LimbeckError {
  return new LimbeckError(
    'data.config',
    config === undefined
      ? 'the data set has several configurations'
      : `the data set has no configuration '${config}'`,
    { where: name, remedy: `Set config to one of: ${configs.join(', ') || 'none (remove it)'}.` },
  );
}
