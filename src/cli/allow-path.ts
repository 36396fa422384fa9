import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Cli } from './cli.ts';

/** What `--allow-path` leaves among a command's options. */
export interface AllowPathOptions {
  readonly allowPath?: readonly string[];
}

/** `--allow-path <dir>`, for commands that read a recipe's data. */
export function allowPathOption(): Option {
  const about = "a folder outside the recipe's that its paths may reach; may be repeated";
  return new Option('--allow-path <dir>', about).argParser(gathered);
}

/** Keeps all values of an option that may be repeated. */
export function gathered(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** The folders that were allowed, as the library takes them; nothing where none was. */
export function allowedPaths(
  { workingFolder }: Pick<Cli, 'workingFolder'>,
  { allowPath }: AllowPathOptions,
): { readonly allowPaths?: string[] } {
  return allowPath ? { allowPaths: allowPath.map((path) => resolve(workingFolder, path)) } : {};
}
