import { type Tensor, tensor } from '../onnx/tensor.ts';

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

/** The tokens of texts that a model reads now. */
export interface ReadTexts {
  /** int64 [rows, count] */
  readonly ids: BigInt64Array;
  /** Tokens of each text that are read now. */
  readonly count: number;
  /** Those before them, too. */
  readonly length: number;
  /** How many tokens of each text are padding, on the left. */
  readonly padding: readonly number[];
}

/** What a decoder may ask for besides what it keeps, by its name. */
const TEXT_INPUTS: Readonly<Record<string, (texts: ReadTexts) => Tensor>> = {
  input_ids: ({ ids, count, padding }) => tensor('int64', [padding.length, count], ids),
  attention_mask: ({ padding, length }) =>
    tensor('int64', [padding.length, length], leftMask(padding, length)),
  position_ids: ({ padding, length, count }) =>
    tensor('int64', [padding.length, count], leftPositions(padding, length, count)),
  // Of models that merge a decoder without and one with a cache into one file.
  use_cache_branch: ({ count, length }) => tensor('bool', [1], Uint8Array.of(count < length ? 1 : 0)),
  num_logits_to_keep: () => tensor('int64', [], BigInt64Array.of(1n)),
};

export function isTextInput(name: string): boolean {
  return Object.hasOwn(TEXT_INPUTS, name);
}

/** What a model that has these inputs is fed. */
export function textFeeds(names: readonly string[], texts: ReadTexts): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const name of names) {
    const make = TEXT_INPUTS[name];
    if (make) feeds[name] = make(texts);
  }
  return feeds;
}

/** The mask int64 [rows, length] of texts that begin with so much padding. */
function leftMask(padding: readonly number[], length: number): BigInt64Array {
  const mask = new BigInt64Array(padding.length * length).fill(1n);
  for (const [row, pads] of padding.entries()) mask.fill(0n, row * length, row * length + pads);
  return mask;
}

/** The positions int64 [rows, count] of the last `count` of `length` tokens: how many come before each in its own text. */
function leftPositions(padding: readonly number[], length: number, count: number): BigInt64Array {
  const positions = new BigInt64Array(padding.length * count);
  for (const [row, pads] of padding.entries()) {
    for (let i = 0; i < count; i++)
      positions[row * count + i] = BigInt(Math.max(0, length - count + i - pads));
  }
  return positions;
}
