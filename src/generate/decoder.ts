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
