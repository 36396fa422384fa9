import { parse } from 'yaml';
import { textOf } from '../../platform/bytes.ts';
import { basename, dirname, join } from '../../platform/paths.ts';
import { readSettingsAsync, SettingsTooLargeError } from '../../settings-file.ts';
import type { DeclaredClasses } from '../sample.ts';

/** The names in a Parquet file's key-value entry `huggingface`; undefined where it declares none for the column. */
export function parquetClassNames(entry: string | undefined, field: string): string[] | undefined {
  if (!entry) return undefined;
  try {
    return namesInFeatures(JSON.parse(entry)?.info?.features, field);
  } catch {
    return undefined;
  }
}

/**
 * The names in a data set's `dataset_info`: the YAML header of its README, `dataset_infos.json` (one entry for each
 * configuration) or `dataset_info.json`. Undefined where none is declared, or where configurations that are not told apart
 * declare different ones.
 */
export function infoClassNames(
  info: unknown,
  field: string,
  config: string | undefined,
): string[] | undefined {
  const entries = infoEntries(info);
  const chosen = entries.filter(({ name }) => config === undefined || name === undefined || name === config);
  const found = chosen.map(({ features }) => namesInFeatures(features, field));
  const [first] = found;
  return first && found.every((names) => JSON.stringify(names) === JSON.stringify(first)) ? first : undefined;
}

/** `dataset_info` of a README's header; undefined without one. */
export function readmeDatasetInfo(readme: string | undefined): unknown {
  const front = /^\uFEFF?---\r?\n(.*?)\r?\n---/s.exec(readme ?? '')?.[1];
  if (!front) return undefined;
  try {
    return (parse(front) as { dataset_info?: unknown } | null)?.dataset_info;
  } catch {
    return undefined;
  }
}

/** The files that may declare a data set's classes, the first of them first. */
const INFO_FILES = ['README.md', 'dataset_infos.json', 'dataset_info.json'] as const;

/**
 * What a data set's files say of its classes, where it lies as on the hub: beside the file with the rows or, when that
 * is in `data/` or a folder of its configuration or split, in the folder above.
 *
 * @param allowed Whether a path may be read; what a recipe may not reach is not looked at.
 */
export async function classNamesBeside(
  file: string,
  field: string,
  allowed: (path: string) => boolean,
): Promise<DeclaredClasses | undefined> {
  const folder = dirname(file);
  for (const place of [folder, dirname(folder)]) {
    for (const name of INFO_FILES) {
      const path = join(place, name);
      const text = allowed(path) ? await readSettingsAsync(path).then(textOf, unlessTooLarge) : undefined;
      if (text === undefined) continue;
      const config = place === folder ? undefined : basename(folder);
      const info = infoOf(name, text);
      const names = infoClassNames(info, field, config) ?? infoClassNames(info, field, undefined);
      if (names) return { names, where: path };
    }
  }
  return undefined;
}

/** The content of one of the files that declare classes, by its name. */
export function infoOf(name: string, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (/\.md$/i.test(name)) return readmeDatasetInfo(text);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A list of configurations, an object with one for each key, or one alone. */
function infoEntries(info: unknown): { name: string | undefined; features: unknown }[] {
  if (typeof info !== 'object' || info === null) return [];
  const list = Array.isArray(info)
    ? info
    : 'features' in info
      ? [info]
      : Object.entries(info).map(([name, one]) => ({ config_name: name, ...(one as object) }));
  return list.flatMap((one: { config_name?: unknown; features?: unknown } | null) =>
    one?.features
      ? [{ name: one.config_name === undefined ? undefined : `${one.config_name}`, features: one.features }]
      : [],
  );
}

/** Features are an object by column, or a list of `{ name, dtype: { class_label: { names } } }` in YAML. */
function namesInFeatures(features: unknown, field: string): string[] | undefined {
  if (Array.isArray(features)) {
    const column = features.find((one: { name?: unknown } | null) => one?.name === field);
    return nameList(column?.dtype?.class_label?.names);
  }
  const column = (features as Record<string, { names?: unknown }> | null | undefined)?.[field];
  return nameList(column?.names);
}

/** A list of names, or an object from numbers to names. */
function nameList(names: unknown): string[] | undefined {
  if (typeof names !== 'object' || names === null) return undefined;
  const entries = Array.isArray(names) ? [...names.entries()] : Object.entries(names);
  const list: string[] = [];
  for (const [number, name] of entries) {
    if (!['string', 'number', 'boolean'].includes(typeof name)) return undefined;
    list[Number(number)] = `${name}`;
  }
  return list.length > 0 && list.length === entries.length && !list.includes('') ? list : undefined;
}

/** What is not there, or cannot be read, names nothing. */
function unlessTooLarge(error: unknown): undefined {
  if (error instanceof SettingsTooLargeError) throw error;
}
