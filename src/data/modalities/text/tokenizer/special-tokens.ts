/** The part of a tokenizer that puts special tokens around a text, as the tokenizer library has it. */
export interface PostProcessor {
  post_process(
    tokens: string[],
    pair: string[] | null,
    addSpecialTokens: boolean,
  ): { tokens: string[]; token_type_ids?: number[] };
}

/** A side of a text: where it is cut, or where padding is put. */
export type Side = 'left' | 'right';

/** How a tokenizer's files want a text to be framed, cut and padded, as transformers reads them. */
export interface TokenFrame {
  /** How many special tokens stand before and after every text: `[CLS]`, `[SEP]`, `</s>`. */
  readonly before: number;
  readonly after: number;
  /** The end of a text that is cut off when it is too long. */
  readonly truncationSide: Side;
  readonly paddingSide: Side;
}

/** The `token_type_ids` of a single text. */
export interface TokenTypes {
  /** Of the text's own tokens: 0 nearly always. */
  readonly text: number;
  /** Of special tokens by id, where they differ: 2 for XLNet's `<cls>`. */
  readonly special: ReadonlyMap<number, number>;
}

/** What no vocabulary has, so that it is found again between the special tokens. */
const PROBE = '\u0000text\u0000';

/**
 * Reads the frame from `tokenizer.json` and `tokenizer_config.json`. The configuration comes first, then what
 * `tokenizer.json` says under `truncation` and `padding`, then `right` (PreTrainedTokenizerFast of transformers).
 */
export function tokenFrame(
  json: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
  postProcessor: PostProcessor | null,
): TokenFrame {
  const { before, after } = specialTokensAround(postProcessor);
  return {
    before,
    after,
    truncationSide: sideOf(config.truncation_side) ?? sideOf(directionOf(json.truncation)) ?? 'right',
    paddingSide: sideOf(config.padding_side) ?? sideOf(directionOf(json.padding)) ?? 'right',
  };
}

/** Cuts a text that is longer than `most` tokens; its special tokens stay, as far as they fit. */
export function cutTokens(ids: readonly number[], most: number, frame: TokenFrame): readonly number[] {
  if (ids.length <= most) return ids;
  const { before, after, truncationSide } = frame;
  const kept = most - before - after;
  // Not even room for the special tokens: nothing sensible is left, but nothing longer than asked for either.
  if (kept < 0) return ids.slice(0, most);
  const end = ids.length - after;
  const text = truncationSide === 'right' ? ids.slice(before, before + kept) : ids.slice(end - kept, end);
  return [...ids.slice(0, before), ...text, ...ids.slice(end)];
}

function specialTokensAround(postProcessor: PostProcessor | null): {
  before: number;
  after: number;
} {
  if (!postProcessor) return { before: 0, after: 0 };
  const { tokens } = postProcessor.post_process([PROBE], null, true);
  const before = tokens.indexOf(PROBE);
  return before < 0 ? { before: 0, after: 0 } : { before, after: tokens.length - before - 1 };
}

/** Reads the types from the post-processor. */
export function tokenTypes(
  postProcessor: PostProcessor | null,
  idOf: (token: string) => number | undefined,
): TokenTypes {
  const made = postProcessor?.post_process([PROBE], null, true);
  const tokens: readonly string[] = made?.tokens ?? [];
  const types: readonly number[] = made?.token_type_ids ?? [];
  const text = types[tokens.indexOf(PROBE)] ?? 0;
  const special = new Map<number, number>();
  tokens.forEach((token, i) => {
    const [id, type] = [idOf(token), types[i] ?? text];
    if (token !== PROBE && id !== undefined && type !== text) special.set(id, type);
  });
  return { text, special };
}

/** How a pair of texts is framed: special tokens by their id, and where each text goes, with the type of its tokens. */
export interface PairTemplate {
  readonly parts: readonly ({ readonly id: number } | { readonly text: 0 | 1 })[];
  /** Of each part. */
  readonly types: readonly number[];
}

const SECOND_PROBE = '\u0000second\u0000';

/** Reads how pairs are framed from the post-processor; without one they follow each other. */
export function pairTemplate(
  postProcessor: PostProcessor | null,
  idOf: (token: string) => number | undefined,
): PairTemplate {
  const made = postProcessor?.post_process([PROBE], [SECOND_PROBE], true);
  if (!made?.tokens.includes(PROBE) || !made.tokens.includes(SECOND_PROBE))
    return { parts: [{ text: 0 }, { text: 1 }], types: [0, 0] };
  const parts: PairTemplate['parts'][number][] = [];
  const types: number[] = [];
  for (const [i, token] of made.tokens.entries()) {
    const id = idOf(token);
    if (token === PROBE) parts.push({ text: 0 });
    else if (token === SECOND_PROBE) parts.push({ text: 1 });
    else if (id !== undefined) parts.push({ id });
    else continue;
    types.push(made.token_type_ids?.[i] ?? 0);
  }
  return { parts, types };
}

/**
 * How many tokens of each text of a pair are kept where both together may have `most`: the longer one loses first
 * (`longest_first` of transformers), and of two that are too long each keeps half.
 */
export function pairLengths(first: number, second: number, most: number): [number, number] {
  if (first + second <= most) return [first, second];
  const room = Math.max(0, most);
  const less = Math.min(first, second, Math.floor(room / 2));
  return first <= second ? [less, room - less] : [room - less, less];
}

function directionOf(section: unknown): unknown {
  return typeof section === 'object' && section !== null
    ? (section as { direction?: unknown }).direction
    : undefined;
}

/** `Left` in tokenizer.json, `left` in the configuration. */
function sideOf(value: unknown): Side | undefined {
  const side = typeof value === 'string' ? value.toLowerCase() : undefined;
  return side === 'left' || side === 'right' ? side : undefined;
}
