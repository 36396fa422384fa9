import type { Decoder } from '../decoder.ts';

/** A decoder whose logits are a function of the tokens that it reads of a text; it notes what it was asked for. */
export function writtenDecoder(
  logitsOf: (tokens: readonly number[]) => ArrayLike<number>,
  maxLength?: number,
): Decoder & { readonly reads: number[][][] } {
  const reads: number[][][] = [];
  return {
    maxLength,
    reads,
    begin() {
      let texts: number[][] = [];
      return {
        async read(tokens) {
          texts =
            texts.length === 0
              ? tokens.map((row) => [...row])
              : texts.map((text, i) => [...text, ...tokens[i]]);
          for (const text of texts) {
            if (maxLength !== undefined && text.length > maxLength)
              throw new Error('there is no such position');
          }
          reads.push(tokens.map((row) => [...row]));
          return { row: (row) => Float32Array.from(logitsOf(texts[row])) };
        },
        keep(rows) {
          texts = rows.map((row) => [...texts[row]]);
        },
      };
    },
  };
}
