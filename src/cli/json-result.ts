import type { Cli } from './cli.ts';

/** The last line of a command with --json. */
export function writeResult(cli: Cli, result: object): void {
  cli.terminal.out(`${JSON.stringify({ type: 'result', ...result })}\n`);
}
