import { CommanderError } from 'commander';
import { LimbeckError } from '../errors.ts';
import { printable } from '../printable.ts';
import { RecipeError } from '../recipe/problems.ts';
import type { RecipePlaces } from '../recipe/recipe-places.ts';
import { EXIT, exitCodeOf, isInterruption } from './exit-codes.ts';
import { loadedPlugins, type PluginPlace, pluginBehind } from './plugin-mistakes.ts';
import type { Terminal } from './terminal.ts';

/** Tells the person what went wrong (in JSON on `out` when asked for) and returns the exit code. @param places of the command's recipe */
export function reportFailure(
  thrown: unknown,
  terminal: Terminal,
  json: boolean,
  places?: RecipePlaces,
): number {
  const error = located(thrown, places);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    // Without --json commander has already told it, with the usage.
    if (json) writeJson(terminal, { code: 'cli.usage', message: error.message.replace(/^error: /, '') });
    return EXIT.usage;
  }
  const code = exitCodeOf(error);
  if (json) {
    writeJson(terminal, fieldsOf(error));
    return code;
  }
  const { red, yellow } = terminal.errColors;
  const plugin = pluginBehind(error);
  if (isInterruption(error)) {
    terminal.err(`${yellow('stopped')}: what was computed is kept; the same command goes on from there\n`);
  } else if (error instanceof LimbeckError) {
    terminal.err(`${red('error')}: ${error.toString()}\n${plugin ? `  in: ${told(plugin)}\n` : ''}`);
  } else if (isSystemError(error)) {
    terminal.err(`${red('error')}: ${printable(error.message)} [${error.code}]\n`);
  } else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(`${red('error')}: ${plugin ? `${told(plugin)} failed: ` : ''}${printable(stack)}\n`);
    terminal.err(`${plugin ? pluginMistake(plugin) : ownMistake()}\n`);
  }
  return code;
}

/** An error about a key of the recipe with the key's line; those that the recipe's check found have theirs. */
function located(error: unknown, places: RecipePlaces | undefined): unknown {
  if (!(error instanceof LimbeckError) || error instanceof RecipeError || !error.where || !places)
    return error;
  const where = places.located(error.where);
  if (where === error.where) return error;
  const { code, message, remedy, stack } = error;
  const placed = new LimbeckError(code, message, { where, ...(remedy && { remedy }), cause: error.cause });
  // Whose code it came up in is told by the stack.
  if (stack !== undefined) placed.stack = stack;
  return placed;
}

function told({ name, where }: PluginPlace): string {
  return `the plugin '${name}' (${where})`;
}

function pluginMistake({ name }: PluginPlace): string {
  return `This is a mistake in the plugin '${name}', or in how it is used. Whoever wrote it can mend it with these lines.`;
}

/** What a plugin gave us and what we then stumbled over has none of its files on the stack. */
function ownMistake(): string {
  const names = loadedPlugins().map(({ name }) => `'${name}'`);
  const plugins = names.length === 0 ? '' : `, or in what a plugin (${names.join(', ')}) gave it`;
  return `This is a mistake in Limbeck${plugins}. Please report these lines and what \`limbeck doctor\` says.`;
}

function writeJson(terminal: Terminal, fields: Record<string, unknown>): void {
  terminal.out(`${JSON.stringify({ type: 'error', ...fields })}\n`);
}

function fieldsOf(error: unknown): Record<string, unknown> {
  const plugin = pluginBehind(error);
  if (error instanceof LimbeckError) {
    const { code, message, where, remedy } = error;
    return {
      code,
      message,
      where,
      remedy,
      ...(plugin && { plugin: plugin.name }),
      ...(error instanceof RecipeError && { problems: error.problems }),
    };
  }
  if (isInterruption(error)) return { code: 'run.interrupted', message: 'stopped' };
  if (isSystemError(error)) return { code: `system.${error.code}`, message: error.message };
  if (plugin)
    return {
      code: 'plugin.mistake',
      message: `${told(plugin)} failed: ${(error as Error).message}`,
      where: plugin.where,
      plugin: plugin.name,
      stack: (error as Error).stack,
    };
  return {
    code: 'internal',
    message: String(error),
    stack: error instanceof Error ? error.stack : undefined,
  };
}

/** A refusal of the operating system (no such file, no permission): not ours to be reported. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
