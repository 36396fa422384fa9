import { readFileSync } from 'node:fs';
import { LimbeckError } from '../errors.ts';
import type { LimbeckApi } from '../run/api.ts';
import type { Cli } from './cli.ts';
import { EXIT } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { abortOnInterrupt } from './interrupts.ts';
import { createProgram } from './program.ts';
import type { Progress } from './progress/progress.ts';
import { terminalOf } from './terminal.ts';

/** A command that is done but kept alive by a library's handle ends after this all the same. */
const LINGER_MILLISECONDS = 2000;

/**
 * Runs this process as the command line: parses its arguments, calls a command, sets the exit code.
 *
 * @param api the library; its parts are loaded only when a command calls them, so that help is quick
 */
export async function start(api: LimbeckApi): Promise<void> {
  const terminal = terminalOf(process);
  const args = process.argv.slice(2);
  const json = args.includes('--json');

  let shown: Progress | undefined;
  let interrupt: AbortController | undefined;

  const cli: Cli = {
    terminal,
    workingFolder: process.cwd(),
    arguments: args,
    version: packageVersion(),
    exitCode: EXIT.ok,
    readInput: inputText,
    api,
    stopCleanly(progress) {
      shown = progress;
      interrupt ??= abortOnInterrupt(process, {
        announce: (message) => shown?.onEvent({ type: 'log', level: 'warn', message }),
        exit: (code) => process.exit(code),
      });
      return interrupt.signal;
    },
  };

  // However the process ends, the cursor comes back.
  process.on('exit', () => shown?.close());

  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      // The reader went away (`limbeck ... | head`): nobody sees what a run still does, so it stops, cleanly.
      interrupt?.abort();
    });
  }

  function fail(error: unknown): void {
    shown?.close();
    process.exitCode = reportFailure(error, terminal, json, cli.places);
  }

  process.on('uncaughtException', (error) => {
    fail(error);
    process.exit();
  });

  try {
    await (await createProgram(cli)).parseAsync(args, { from: 'user' });
    process.exitCode = cli.exitCode;
  } catch (error) {
    fail(error);
  }
  setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();
}

/** Far more than a model reads. */
const LONGEST_INPUT = 2 ** 24;

async function inputText(): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece);
    length += piece.length;
    if (length <= LONGEST_INPUT) continue;
    throw new LimbeckError('cli.input-too-long', `more than ${LONGEST_INPUT} bytes came through stdin`, {
      where: 'stdin',
      remedy: 'Give a shorter text.',
    });
  }
  return Buffer.concat(pieces).toString('utf8');
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
