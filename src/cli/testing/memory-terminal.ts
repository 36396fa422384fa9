import type { LimbeckApi } from '../../run/api.ts';
import type { Cli } from '../cli.ts';
import { type Terminal, terminalOf } from '../terminal.ts';

/** A terminal that keeps what is written, for tests. */
export interface MemoryTerminal extends Terminal {
  readonly written: { out: string; err: string };
}

export function memoryTerminal(): MemoryTerminal {
  const written = { out: '', err: '' };
  const terminal = terminalOf({
    stdin: {},
    stdout: { write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    env: { NO_COLOR: '1' },
  });
  return { ...terminal, written };
}

/** A command line without a process; `input` is what comes through its stdin. */
export function memoryCli(
  terminal: Terminal,
  args: string[],
  api: Partial<LimbeckApi>,
  folder: string,
  input = '',
): Cli {
  return {
    terminal,
    arguments: args,
    workingFolder: folder,
    version: '0.0.0-test',
    exitCode: 0,
    readInput: async () => input,
    api: api as LimbeckApi,
    stopCleanly: () => new AbortController().signal,
  };
}

/**
 * What a terminal shows after these bytes: understands carriage return, newline, cursor up, erase line and erase
 * below, as live progress uses them. Throws for any other control sequence.
 */
export function screenAfter(bytes: string): { lines: string[]; cursorVisible: boolean } {
  const lines = [''];
  let row = 0;
  let column = 0;
  let cursorVisible = true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what is read
  for (const token of bytes.match(/\u001B\[\??\d*[A-Za-z]|[^\u001B]/gu) ?? []) {
    const line = lines[row] ?? '';
    if (token === '\r') column = 0;
    else if (token === '\n') {
      row += 1;
      column = 0;
      lines[row] ??= '';
    } else if (token === '\u001B[K') lines[row] = line.slice(0, column);
    else if (token === '\u001B[J') {
      lines[row] = line.slice(0, column);
      lines.length = row + 1;
    } else if (token === '\u001B[?25l') cursorVisible = false;
    else if (token === '\u001B[?25h') cursorVisible = true;
    else if (token.startsWith('\u001B[') && token.endsWith('A')) row -= Number(token.slice(2, -1));
    else if (token.startsWith('\u001B')) throw new Error(`the screen does not know ${JSON.stringify(token)}`);
    else {
      lines[row] = line.slice(0, column).padEnd(column) + token + line.slice(column + 1);
      column += 1;
    }
  }
  return { lines, cursorVisible };
}
