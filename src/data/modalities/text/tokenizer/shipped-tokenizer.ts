import { TOKEN_ROLES, type TokenRole, tokenText } from './named-tokens.ts';

type Json = Readonly<Record<string, unknown>>;

/** Keys of a configuration that say where a person's files lay, or which code is to be run. */
const NOT_SHIPPED = [
  'name_or_path',
  'special_tokens_map_file',
  'tokenizer_file',
  'auto_map',
  'processor_class',
];

/**
 * The `tokenizer_config.json` that ships with a student. transformers.js reads special tokens as text only (of an object
 * without `__type` it throws), needs a padding token where a batch is padded, and takes some classes for permission to
 * do otherwise (`LlamaTokenizer` pads on the left, `BertTokenizer` adds token types that the student does not read). So
 * it is told all that, and the class that does what tokenizer.json says and nothing more.
 */
export function shippedConfig(
  config: Json,
  options: {
    readonly tokens: Readonly<Partial<Record<TokenRole, string>>>;
    readonly padToken: string;
    readonly maxLength: number;
  },
): Record<string, unknown> {
  const kept = Object.entries(config).filter(([key]) => !NOT_SHIPPED.includes(key));
  const shipped: Record<string, unknown> = Object.fromEntries(kept);
  for (const role of TOKEN_ROLES) delete shipped[role];
  const additional = config.additional_special_tokens;
  return {
    ...shipped,
    ...(Array.isArray(additional) && {
      additional_special_tokens: additional.map(tokenText).filter((text) => text !== undefined),
    }),
    ...options.tokens,
    pad_token: options.padToken,
    tokenizer_class: 'PreTrainedTokenizerFast',
    padding_side: 'right',
    model_max_length: options.maxLength,
  };
}

/**
 * The `tokenizer.json` that ships: as it was read, without a length and a padding of its own. transformers.js ignores
 * them, and other readers would cut and pad to another length than the student was measured with.
 */
export function shippedTokenizer(json: Json): Record<string, unknown> {
  return { ...json, truncation: null, padding: null };
}

/** The post-processor that puts tokens before every text; null where there are none. */
export function tokensBefore(tokens: readonly { readonly id: number; readonly text: string }[]): Json | null {
  if (tokens.length === 0) return null;
  const special = (type_id: number) => tokens.map(({ text }) => ({ SpecialToken: { id: text, type_id } }));
  const sequence = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
  return {
    type: 'TemplateProcessing',
    single: [...special(0), sequence('A', 0)],
    pair: [...special(0), sequence('A', 0), ...special(1), sequence('B', 1)],
    special_tokens: Object.fromEntries(
      tokens.map(({ id, text }) => [text, { id: text, ids: [id], tokens: [text] }]),
    ),
  };
}

/** A tokenizer.json with all sections that the library asks for: absent ones are empty, as in its reference. */
export function withAllSections(json: Json): Record<string, unknown> {
  const empty = {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
  };
  return { ...empty, ...json, added_tokens: json.added_tokens ?? [] };
}
