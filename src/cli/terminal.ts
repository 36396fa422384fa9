import pico from 'picocolors';
import { printableStyled } from '../printable.ts';

export type Colors = ReturnType<typeof pico.createColors>;

/**
 * Where a command writes: results to `out`, everything about their making to `err`. Control characters that are not
 * our own colours and moves are written out.
 */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly outColors: Colors;
  readonly errColors: Colors;
  /** Whether `err` is a terminal whose lines can be redrawn. */
  readonly live: boolean;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  columns(): number;
}

/** The parts of a process that a terminal is made of. */
export interface Streams {
  stdin: { isTTY?: boolean };
  stdout: { write(text: string): unknown; isTTY?: boolean };
  stderr: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  env: Readonly<Record<string, string | undefined>>;
}

/** The terminal of a process. Colours follow NO_COLOR and FORCE_COLOR (no-color.org), then what each stream is. */
export function terminalOf({ stdin, stdout, stderr, env }: Streams): Terminal {
  const dumb = env.TERM === 'dumb';
  const colors = (isTTY = false) => {
    if (env.NO_COLOR) return pico.createColors(false);
    if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return pico.createColors(true);
    return pico.createColors(isTTY && !dumb);
  };
  return {
    out: (text) => void stdout.write(printableStyled(text)),
    err: (text) => void stderr.write(printableStyled(text)),
    outColors: colors(stdout.isTTY),
    errColors: colors(stderr.isTTY),
    // A CI's log may claim to be a terminal; nobody watches it move.
    live: Boolean(stderr.isTTY) && !dumb && !env.CI,
    interactive: Boolean(stdin.isTTY && stdout.isTTY) && !dumb && !env.CI,
    columns: () => stderr.columns || 80,
  };
}
