import { LimbeckError } from '../../../errors.ts';
import type { Tensor } from '../../../onnx/tensor.ts';
import { createSha256 } from '../../../platform/hash.ts';
import { BrokenValue } from '../../broken-value.ts';
import { canonicalJson } from '../../canonical-json.ts';
import { ATTENTION_MASK, type ColumnSpec, INPUT_IDS, SEQUENCE, TOKEN_TYPE_IDS } from '../../columns.ts';
import type { Example } from '../../split.ts';
import type { BucketAxis, Encoded, Processor } from '../modality.ts';
import { rawText } from './raw-text.ts';
import { TokenPiece } from './token-piece.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** So many texts may take the tokenizer too long, 10 seconds each, before it is given up. */
const SLOW_TEXTS = 3;
/** Stands between the two texts of a pair in what identifies it, and in what is kept of it for people. */
const BETWEEN = '\u0000';

/** The text that is kept of a sample for people, or the two of a pair. */
export function shownTexts(shown: Uint8Array): string[] {
  return new TextDecoder().decode(shown).split(BETWEEN);
}

/** What a backbone over tokens has to fit. */
export interface TextFacts extends Readonly<Record<string, unknown>> {
  readonly vocabularySize: number;
  /** Tokens in the longest text. */
  readonly maxLength: number;
  /** Whether `token_type_ids` is an input. */
  readonly pairs: boolean;
}

/**
 * Tokens of a text, or of a pair of texts: `input_ids` and `attention_mask`, int64 [sequence]; of a pair where the
 * tokenizer tells its parts apart also `token_type_ids`. Ids lie on disk without padding, as uint16 where the vocabulary
 * fits it; of a pair the types follow, a byte each.
 */
export class TextProcessor implements Processor {
  readonly hash: string;
  readonly columns: readonly ColumnSpec[];
  readonly axis: BucketAxis;
  readonly forBackbones: TextFacts;
  readonly #tokenizer: Tokenizer;
  readonly #fields: readonly string[];
  readonly #maxLength: number;
  /** 2 where every id fits in uint16, else 4. */
  readonly #idBytes: 2 | 4;
  readonly #typed: boolean;
  readonly #names: { readonly ids: string; readonly mask: string; readonly types: string };
  #slowTexts = 0;

  constructor(options: {
    readonly tokenizer: Tokenizer;
    /** One column, or the two of a pair. */
    readonly fields: readonly string[];
    /** In tokens, ascending. */
    readonly buckets: readonly number[];
    readonly prefix?: string;
  }) {
    const { tokenizer, fields, buckets, prefix } = options;
    this.#tokenizer = tokenizer;
    this.#fields = fields;
    this.#maxLength = buckets.at(-1) as number;
    this.#idBytes = tokenizer.vocabularySize <= 0x10000 ? 2 : 4;
    this.#typed = fields.length > 1 && tokenizer.hasPairTypes;
    const named = (name: string) => (prefix === undefined ? name : `${prefix}_${name}`);
    this.#names = {
      ids: named(INPUT_IDS),
      mask: named(ATTENTION_MASK),
      types: named(TOKEN_TYPE_IDS),
    };
    this.forBackbones = {
      vocabularySize: tokenizer.vocabularySize,
      maxLength: this.#maxLength,
      pairs: this.#typed,
    };
    this.axis = { name: SEQUENCE, unit: 'tokens', buckets };
    const column = (name: string, pad: number): ColumnSpec => ({
      name,
      type: 'int64',
      shape: [SEQUENCE],
      pad,
      role: 'input',
    });
    this.columns = [
      column(this.#names.ids, tokenizer.padId),
      column(this.#names.mask, 0),
      ...(this.#typed ? [column(this.#names.types, 0)] : []),
    ];
    this.hash = createSha256()
      .update(canonicalJson({ text: 1, tokenizer: tokenizer.hash, buckets, pair: fields.length > 1, prefix }))
      .digest('hex');
  }

  bytesFor(length: number): number {
    return length * (this.#idBytes + (this.#typed ? 1 : 0));
  }

  encode(raw: unknown): Encoded {
    if (raw instanceof TokenPiece) return this.#piece(raw);
    const texts = this.#fields.map((field, i) =>
      rawText(this.#fields.length === 1 ? raw : (raw as readonly unknown[])[i], field),
    );
    const { ids, types, whole } = this.#tokens(texts);
    const { unknownId } = this.#tokenizer;
    const content = texts.join(BETWEEN);
    return {
      bytes: this.#pack(ids, types),
      length: ids.length,
      ...(whole > this.#maxLength && { wholeLength: whole }),
      content,
      shown: content,
      facts: {
        unknown: countOf(ids, unknownId),
        replaced: content.includes('\ufffd') ? 1 : 0,
      },
    };
  }

  decode(
    bytes: Uint8Array,
    columns: Readonly<Record<string, Tensor>>,
    row: number,
    sizes: Readonly<Record<string, number>>,
  ): void {
    const length = sizes[SEQUENCE] as number;
    const tokens = bytes.length / (this.#idBytes + (this.#typed ? 1 : 0));
    const words = this.#words(bytes, tokens);
    const moved = this.#tokenizer.frame.paddingSide === 'left' ? length - tokens : 0;
    // The low halves of the int64s: making a BigInt for each of 8,192 ids would take longer than reading them.
    const to = 2 * (row * length + moved);
    const ids = lowHalves(columns[this.#names.ids]);
    const mask = lowHalves(columns[this.#names.mask]);
    for (let i = 0; i < tokens; i++) {
      ids[to + 2 * i] = words[i] as number;
      mask[to + 2 * i] = 1;
    }
    if (!this.#typed) return;
    const types = lowHalves(columns[this.#names.types]);
    const from = tokens * this.#idBytes;
    for (let i = 0; i < tokens; i++) types[to + 2 * i] = bytes[from + i] as number;
  }

  /** One token is there: a mean over none would be no number. */
  blank(
    columns: Readonly<Record<string, Tensor>>,
    row: number,
    sizes: Readonly<Record<string, number>>,
  ): void {
    const length = sizes[SEQUENCE] as number;
    const at = this.#tokenizer.frame.paddingSide === 'left' ? length - 1 : 0;
    lowHalves(columns[this.#names.mask])[2 * (row * length + at)] = 1;
  }

  example(_bytes: Uint8Array, shown: Uint8Array): Example {
    return { text: shownTexts(shown).join(' | ') };
  }

  files(): Record<string, Uint8Array> {
    const files = this.#tokenizer.toShippedFiles(this.#maxLength);
    return Object.fromEntries(files.map(({ name, bytes }) => [name, bytes]));
  }

  /** A stretch of a document, which is tokens already. */
  #piece({ ids, text, content }: TokenPiece): Encoded {
    if (ids.length > this.#maxLength)
      throw new Error(`a piece of ${ids.length} tokens where ${this.#maxLength} are read`);
    return {
      bytes: this.#pack(
        ids,
        ids.map(() => 0),
      ),
      length: ids.length,
      content,
      shown: text,
      facts: { unknown: countOf(ids, this.#tokenizer.unknownId), replaced: text.includes('\ufffd') ? 1 : 0 },
    };
  }

  /** The ids of the texts, cut, and how many there were before. */
  #tokens(texts: readonly string[]): { ids: number[]; types: number[]; whole: number } {
    const [first, second] = texts as [string, string?];
    try {
      if (second !== undefined) return nonEmpty(this.#tokenizer.encodePair(first, second, this.#maxLength));
      const ids = this.#tokenizer.encode(first);
      return nonEmpty({ ids: this.#tokenizer.cut(ids, this.#maxLength), types: [], whole: ids.length });
    } catch (error) {
      if (error instanceof BrokenValue) throw error;
      // One text does not end a run, but several that take for ever do.
      const code = error instanceof LimbeckError ? error.code : undefined;
      if (code === 'run.interrupted') throw error;
      if (code === 'tokenizer.too-slow' && ++this.#slowTexts === SLOW_TEXTS) throw error;
      throw new BrokenValue('tokens', `the tokenizer does not read the text: ${(error as Error).message}`);
    }
  }

  #pack(ids: readonly number[], types: readonly number[]): Uint8Array {
    const packed = this.#idBytes === 2 ? new Uint16Array(ids) : new Uint32Array(ids);
    const bytes = new Uint8Array(packed.buffer);
    if (!this.#typed) return bytes;
    const both = new Uint8Array(bytes.length + ids.length);
    both.set(bytes);
    both.set(types, bytes.length);
    return both;
  }

  #words(bytes: Uint8Array, tokens: number): Uint16Array | Uint32Array {
    const aligned = bytes.byteOffset % this.#idBytes === 0 ? bytes : Uint8Array.from(bytes);
    const { buffer, byteOffset } = aligned;
    return this.#idBytes === 2
      ? new Uint16Array(buffer, byteOffset, tokens)
      : new Uint32Array(buffer, byteOffset, tokens);
  }
}

function countOf(ids: readonly number[], wanted: number | undefined): number {
  let count = 0;
  for (const id of ids) if (id === wanted) count++;
  return count;
}

function nonEmpty<T extends { ids: readonly number[] }>(tokens: T): T {
  if (tokens.ids.length === 0) throw new BrokenValue('tokens', 'the text has no tokens');
  return tokens;
}

/** An int64 column as int32s, of which every second one is the low half of a number (little-endian). */
function lowHalves(column: Tensor | undefined): Int32Array {
  if (!column) throw new Error('a batch of texts lacks a column');
  const { buffer, byteOffset, byteLength } = column.data as BigInt64Array;
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}
