import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Recipe } from '../recipe/schema.ts';
import type { LimbeckApi } from '../run/api.ts';
import type { RunOptions } from '../run/context/run-options.ts';
import { type AllowPathOptions, allowedPaths, allowPathOption, gathered } from './allow-path.ts';
import type { Cli } from './cli.ts';
import { createProgress } from './progress/create-progress.ts';
import { loadRecipe } from './recipe-file.ts';

/** The options that the commands on a recipe share. */
export interface RecipeOptions extends AllowPathOptions {
  out?: string;
  seed?: number;
  store?: string;
  set?: string[];
  baseline?: boolean;
  json?: boolean;
}

export function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed >= 2 ** 32)
    throw new InvalidArgumentError('Expected a whole number from 0.');
  return seed;
}

/** Adds the options that the commands on a recipe share. */
export function addRecipeOptions(command: Command): Command {
  return command
    .option('--out <dir>', "folder of the run (default: runs/ and the recipe's name)")
    .option('--seed <n>', "seed of all randomness, instead of the recipe's", parseSeed)
    .option('--store <dir>', "folder of the knowledge store, instead of the recipe's")
    .option('--set <key.path=value>', 'a value instead of the one in the recipe; may be repeated', gathered)
    .addOption(allowPathOption())
    .option('--json', 'one JSON object a line on stdout: events, then {"type":"result",...}');
}

/** Reads the recipe, makes the progress display and the stop signal, and calls the library. */
export async function runRecipe<T>(
  cli: Cli,
  file: string,
  options: RecipeOptions,
  call: (api: LimbeckApi, recipe: Recipe, options: RunOptions) => Promise<T>,
): Promise<{ value: T; out: string }> {
  const overrides = [...(options.set ?? []), ...(options.seed === undefined ? [] : [`seed=${options.seed}`])];
  const { recipe, folder } = await loadRecipe(cli, file, overrides);
  const out = resolve(cli.workingFolder, options.out ?? join('runs', recipe.name));
  const value = await withProgress(cli, options.json, async (progress, signal) =>
    call(cli.api, recipe, {
      out,
      onEvent: (event) => progress.onEvent(event),
      signal,
      baseline: options.baseline ?? true,
      recipeFolder: folder,
      command: commandLine(cli.arguments),
      ...(options.store && { storeFolder: resolve(cli.workingFolder, options.store) }),
      ...allowedPaths(cli, options),
    }),
  );
  return { value, out };
}

/** Runs something long: with its progress shown, and stopped cleanly by Ctrl+C. */
export async function withProgress<T>(
  cli: Cli,
  json: boolean | undefined,
  work: (progress: ReturnType<typeof createProgress>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const progress = createProgress(cli.terminal, json ?? false);
  try {
    return await work(progress, cli.stopCleanly(progress));
  } finally {
    progress.close();
  }
}

/** The command as it can be typed again. */
export function commandLine(args: readonly string[]): string {
  return ['npx limbeck', ...args.map(quoteForShell)].join(' ');
}

function quoteForShell(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}
