import { type ErrorCode, LimbeckError } from '../../errors.ts';

/** What the decoding process is told first. */
export interface Assignment {
  /** The URL of a module that exports `decode`, a function from its input to pieces, one after another. */
  readonly decoder: string;
  readonly input: unknown;
  readonly memoryBytes: number;
}

/** What a decoder's module exports. */
export interface DecoderModule<Input, Piece> {
  decode(input: Input): AsyncIterable<Piece>;
}

/** What the decoding process answers: that it has its decoder and begins, pieces, then that it is done or why it is not. */
export type Answer<Piece> = { begun: true } | { piece: Piece } | { done: true } | { error: ToldError };

/** An error on its way between processes. */
export interface ToldError {
  readonly message: string;
  readonly code?: string;
  readonly where?: string;
  readonly remedy?: string;
}

export function tellError(error: unknown): ToldError {
  if (!(error instanceof LimbeckError))
    return { message: error instanceof Error ? error.message : String(error) };
  const { message, code, where, remedy } = error;
  return { message, code, ...(where && { where }), ...(remedy && { remedy }) };
}

/** The error as it was; what was not told for a person is `unreadable`. */
export function errorTold(
  { message, code, where, remedy }: ToldError,
  unreadable: (message: string) => Error,
): Error {
  if (code === undefined) return unreadable(message);
  return new LimbeckError(code as ErrorCode, message, { ...(where && { where }), ...(remedy && { remedy }) });
}
