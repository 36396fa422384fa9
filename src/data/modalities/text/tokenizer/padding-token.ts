import type { TokenRole } from './named-tokens.ts';

type Json = Readonly<Record<string, unknown>>;

/** The token that batches are filled with. */
export interface PaddingToken {
  readonly id: number;
  /** Its text in the vocabulary. */
  readonly text: string;
  /** Sentences about what was assumed, or on what the files disagree. */
  readonly warnings: readonly string[];
}

export interface Vocabulary {
  idOf(token: string): number | undefined;
  textOf(id: number): string | undefined;
}

/** What tokenizers call a token for padding, the usual names first. */
const USUAL_NAMES = [
  '[PAD]',
  '<pad>',
  '<|pad|>',
  '<PAD>',
  '[pad]',
  '<|padding|>',
  '<|finetune_right_pad_id|>',
];
const USUAL_ENDS = ['</s>', '<|endoftext|>', '<eos>', '<|end_of_text|>', '<|im_end|>', '[SEP]'];

/**
 * The padding token of a tokenizer: the one that is named (`tokens`: by tokenizer_config.json or
 * special_tokens_map.json), else the one of tokenizer.json's `padding`, else one of the usual names in the vocabulary,
 * else the end token, else the unknown one, else the first piece. Masks hide padding, so that each of these gives the
 * same answers; but readers of the student have to be told one, for they pad batches with it. All but the first two are
 * assumptions, and said.
 *
 * Returns a sentence when a token that a file names is not in the vocabulary.
 */
export function findPaddingToken(
  json: Json,
  tokens: Readonly<Partial<Record<TokenRole, string>>>,
  vocabulary: Vocabulary,
): PaddingToken | { readonly problem: string } {
  const section = paddingSection(json);
  const named = tokens.pad_token ?? section?.text;
  if (named !== undefined) {
    const id = vocabulary.idOf(named);
    if (id === undefined) return { problem: `the padding token ${named} is not in the vocabulary` };
    return { id, text: named, warnings: disagreements(named, id, section) };
  }
  const assumed = (text: string, why: string): PaddingToken => ({
    id: vocabulary.idOf(text) as number,
    text,
    warnings: [`no file of the tokenizer names a padding token: ${text} is taken, ${why}`],
  });
  const known = (text: string | undefined): text is string =>
    text !== undefined && vocabulary.idOf(text) !== undefined;
  const usual = USUAL_NAMES.find(known);
  if (usual) return assumed(usual, 'which is in the vocabulary');
  const end = [tokens.eos_token, ...USUAL_ENDS].find(known);
  if (end) return assumed(end, 'the end token');
  if (known(tokens.unk_token)) return assumed(tokens.unk_token, 'the unknown token');
  const first = vocabulary.textOf(0);
  return first === undefined
    ? { problem: 'there is no token with the id 0, and none that could be padding' }
    : assumed(first, 'the first of the vocabulary');
}

interface Section {
  readonly text: string | undefined;
  readonly id: number | undefined;
}

/** What tokenizer.json says under `padding`. */
function paddingSection({ padding }: Json): Section | undefined {
  if (typeof padding !== 'object' || padding === null) return undefined;
  const { pad_token, pad_id } = padding as { pad_token?: unknown; pad_id?: unknown };
  return {
    text: typeof pad_token === 'string' ? pad_token : undefined,
    id: typeof pad_id === 'number' ? pad_id : undefined,
  };
}

function disagreements(text: string, id: number, section: Section | undefined): string[] {
  if (!section || ((section.text ?? text) === text && (section.id ?? id) === id)) return [];
  return [
    `the padding token is ${text} (${id}), but tokenizer.json pads with ${section.text} (${section.id}): ${text} is taken`,
  ];
}
