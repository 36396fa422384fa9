/** A model of texts that says after each token what comes next. */
export interface Decoder {
  /** So many tokens of a text it can read; undefined where nothing is known of a bound. */
  readonly maxLength: number | undefined;
  /** Begins to read a batch of texts. */
  begin(): Reading;
}

/** A batch of texts that is being read. */
export interface Reading {
  /**
   * Reads more tokens of each text: first how they begin, of any lengths from 1; then as many for each.
   *
   * @returns what comes next in each
   */
  read(tokens: readonly (readonly number[])[]): Promise<NextLogits>;
  /** Goes on with these of the texts, in this order; one may stand there several times. */
  keep(rows: readonly number[]): void;
}

/** What is said of the next token of each text of a batch. */
export interface NextLogits {
  /** Of one text: float32 [vocabulary], for the caller to change. */
  row(row: number): Float32Array;
}

/** Texts of different lengths in one tensor: shorter ones begin with padding, so that all end where the next token comes. */
export interface PaddedTexts {
  /** int64 [rows, length] */
  readonly ids: BigInt64Array;
  readonly length: number;
  /** How many tokens of each text are padding. */
  readonly padding: readonly number[];
}

/** Pads texts on the left; their mask hides the padding, whose id is therefore any. */
export function padLeft(texts: readonly (readonly number[])[]): PaddedTexts {
  const length = Math.max(...texts.map((text) => text.length));
  const ids = new BigInt64Array(texts.length * length);
  const padding = texts.map((text) => length - text.length);
  for (const [row, text] of texts.entries()) {
    for (const [i, id] of text.entries()) ids[row * length + (padding[row] as number) + i] = BigInt(id);
  }
  return { ids, length, padding };
}

/** The mask int64 [rows, length] of texts that begin with so much padding. */
export function leftMask(padding: readonly number[], length: number): BigInt64Array {
  const mask = new BigInt64Array(padding.length * length).fill(1n);
  for (const [row, pads] of padding.entries()) mask.fill(0n, row * length, row * length + pads);
  return mask;
}

/** The positions int64 [rows, count] of the last `count` of `length` tokens: how many come before each in its own text. */
export function leftPositions(padding: readonly number[], length: number, count: number): BigInt64Array {
  const positions = new BigInt64Array(padding.length * count);
  for (const [row, pads] of padding.entries()) {
    for (let i = 0; i < count; i++)
      positions[row * count + i] = BigInt(Math.max(0, length - count + i - pads));
  }
  return positions;
}
