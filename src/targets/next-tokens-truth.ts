import { canonicalJson } from '../data/canonical-json.ts';
import { SEQUENCE } from '../data/columns.ts';
import type { GroundTruth } from '../data/ground-truth.ts';
import { NOT_ASKED, TokenPiece } from '../data/modalities/text/token-piece.ts';
import type { Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import type { Tensor } from '../onnx/tensor.ts';

/** The tokens that can come next. */
export interface VocabularySpace {
  readonly vocabulary: number;
  /** The tokens that end a text; none where the tokenizer has none. */
  readonly endOfText: readonly number[];
}

/** What is kept of a piece: its bytes, and what comes after each of its tokens. */
type PieceTruth = readonly [bytes: number, next: readonly number[]];

/** The name of the column with the bytes of a row. */
export function bytesColumn(labels: string): string {
  return `${labels}/bytes`;
}

/**
 * What comes after each token of a piece of a document: int32 [sequence], -1 where nothing is asked, and the bytes of text that
 * this stands for, float32 [].
 */
export function nextTokensTruth(tokenizer: Tokenizer): GroundTruth<PieceTruth, VocabularySpace> {
  return {
    hash: canonicalJson({ nextTokens: 1, tokenizer: tokenizer.hash }),
    marksMissing: true,
    begin: () => ({
      read(raw) {
        if (!(raw instanceof TokenPiece)) throw new Error('a row of a corpus that is no piece of a document');
        return [raw.bytes, raw.next];
      },
      finish: () => ({
        space: { vocabulary: tokenizer.vocabularySize, endOfText: tokenizer.endOfText },
      }),
    }),
    columns: (_, name) => [
      { name, type: 'int32', shape: [SEQUENCE], pad: NOT_ASKED, role: 'target' },
      { name: bytesColumn(name), type: 'float32', shape: [], pad: 0, role: 'target' },
    ],
    write([bytes, next], columns, row, _, name) {
      const { data, dims } = columns[name] as Tensor;
      const length = dims[1] as number;
      // A text that is padded at its start has its tokens at the end.
      const moved = tokenizer.frame.paddingSide === 'left' ? length - next.length : 0;
      (data as Int32Array).set(next, row * length + moved);
      ((columns[bytesColumn(name)] as Tensor).data as Float32Array)[row] = bytes;
    },
  };
}
