import { printable } from './printable.ts';
import { wholeSentence } from './whole-sentence.ts';

/** The part of the system that an error is about; the first word of its code. */
export type ErrorArea =
  | 'recipe'
  | 'data'
  | 'tokenizer'
  | 'model'
  | 'teacher'
  | 'store'
  | 'engine'
  | 'train'
  | 'compile'
  | 'compress'
  | 'checkpoint'
  | 'export'
  | 'generate'
  | 'measure'
  | 'run'
  | 'plugin'
  | 'cli';

export type ErrorCode = `${ErrorArea}.${string}`;

export interface ErrorDetails {
  /** Where it went wrong: file, line and key, tensor name and shapes. */
  where?: string;
  /** What the person can do about it, as one sentence. */
  remedy?: string;
  cause?: unknown;
}

/**
 * A problem with what Limbeck was given (a recipe, a model, data, a disk), told for the person who gave it:
 * what was wrong (`message`), where (`where`), what to do (`remedy`), and a stable `code` for programs. Control
 * characters in them, which names in files may hold, are written out (`printable`), and a colon that nothing follows is left out.
 * Broken invariants of our own throw plain `Error`s instead.
 *
 * @example
 * throw new LimbeckError('data.unknown-label', "label 'planet' is not in the list", {
 *   where: 'train.jsonl, row 12',
 *   remedy: 'Add it to data.labels or correct the row.',
 * });
 */
export class LimbeckError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(
      printable(wholeSentence(message)),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = 'LimbeckError';
    this.code = code;
    this.where = details.where && printable(details.where);
    this.remedy = details.remedy && printable(details.remedy);
  }

  /** The whole error as a person reads it: message, place and remedy, a line each. */
  override toString(): string {
    const lines = [`${this.message} [${this.code}]`];
    if (this.where) lines.push(`  at: ${this.where}`);
    if (this.remedy) lines.push(`  do: ${this.remedy}`);
    return lines.join('\n');
  }
}
