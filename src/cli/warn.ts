import { printable } from '../printable.ts';
import type { Cli } from './cli.ts';

/** Tells the person, on stderr, what the result alone would not. */
export function warn({ terminal }: Cli, message: string): void {
  terminal.err(`${terminal.errColors.yellow('warning')}: ${printable(message)}\n`);
}
