/** A tokenizer's special tokens by their roles, as the files beside a tokenizer.json name them. */
export const TOKEN_ROLES = [
  'unk_token',
  'pad_token',
  'cls_token',
  'sep_token',
  'bos_token',
  'eos_token',
  'mask_token',
] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

type Json = Readonly<Record<string, unknown>>;

export interface NamedTokens {
  /** The text of each token that is named. */
  readonly tokens: Readonly<Partial<Record<TokenRole, string>>>;
  /** Sentences about names on which the files disagree. */
  readonly warnings: readonly string[];
}

/**
 * The special tokens that `tokenizer_config.json` and `special_tokens_map.json` name. Each may be text or an object with
 * `content`, whether that says `__type` (as older versions of transformers wrote) or not. Where both files name a role,
 * the configuration counts, as in transformers. An unknown token that neither names is the one of tokenizer.json's model.
 */
export function namedTokens(config: Json, specialTokensMap: Json = {}, json: Json = {}): NamedTokens {
  const tokens: Partial<Record<TokenRole, string>> = {};
  const unknown = (json.model as { unk_token?: unknown } | undefined)?.unk_token;
  if (typeof unknown === 'string') tokens.unk_token = unknown;
  const warnings: string[] = [];
  for (const role of TOKEN_ROLES) {
    const [named, mapped] = [tokenText(config[role]), tokenText(specialTokensMap[role])];
    const text = named ?? mapped;
    if (text === undefined) continue;
    tokens[role] = text;
    if (mapped !== undefined && mapped !== text) {
      warnings.push(
        `tokenizer_config.json names ${text} as ${role}, special_tokens_map.json ${mapped}: ${text} is taken`,
      );
    }
  }
  return { tokens, warnings };
}

/** The text of a special token; undefined for what is none (null, an object without `content`). */
export function tokenText(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}
