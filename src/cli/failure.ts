import { CommanderError } from 'commander';
import { LimbeckError } from '../errors.ts';
import { printable } from '../printable.ts';
import { RecipeError } from '../recipe/problems.ts';
import { EXIT, exitCodeOf, isInterruption } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** Tells the person what went wrong (in JSON on `out` when asked for) and returns the exit code. */
export function reportFailure(error: unknown, terminal: Terminal, json: boolean): number {
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
  if (isInterruption(error)) {
    terminal.err(`${yellow('stopped')}: what was computed is kept; the same command goes on from there\n`);
  } else if (error instanceof LimbeckError) {
    terminal.err(`${red('error')}: ${error.toString()}\n`);
  } else if (isSystemError(error)) {
    terminal.err(`${red('error')}: ${printable(error.message)} [${error.code}]\n`);
  } else {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(`${red('error')}: ${printable(told)}\n`);
    terminal.err('This is a mistake in Limbeck. Please report these lines and what `limbeck doctor` says.\n');
  }
  return code;
}

function writeJson(terminal: Terminal, fields: Record<string, unknown>): void {
  terminal.out(`${JSON.stringify({ type: 'error', ...fields })}\n`);
}

function fieldsOf(error: unknown): Record<string, unknown> {
  if (error instanceof LimbeckError) {
    const { code, message, where, remedy } = error;
    return {
      code,
      message,
      where,
      remedy,
      ...(error instanceof RecipeError && { problems: error.problems }),
    };
  }
  if (isInterruption(error)) return { code: 'run.interrupted', message: 'stopped' };
  if (isSystemError(error)) return { code: `system.${error.code}`, message: error.message };
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
