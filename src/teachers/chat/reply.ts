/** A token that was, or could have been, the next one, with its log-probability (natural). */
export interface TokenChance {
  readonly token: string;
  readonly logprob: number;
}

/** A place of an answer: the token that was chosen there, and the likeliest ones. */
export interface AnsweredToken extends TokenChance {
  readonly top: readonly TokenChance[];
}

/** One of the answers of a reply. */
export interface ReplyChoice {
  readonly text: string | null;
  /** `stop`, `length`, `content_filter`. */
  readonly finish: string;
  readonly refused: boolean;
  /** Its first tokens, where the endpoint tells log-probabilities. */
  readonly tokens?: readonly AnsweredToken[] | undefined;
}

export interface TokenUsage {
  readonly input: number;
  readonly output: number;
  /** Whether the endpoint did not say it: counted by us, roughly. */
  readonly estimated?: boolean | undefined;
}

/** What came back for one request, and was paid. */
export interface Reply {
  /** As the endpoint names it. */
  readonly model: string;
  readonly choices: readonly ReplyChoice[];
  /** Of a request for vectors: one for each text, float32 little-endian as base64. */
  readonly vectors?: readonly string[] | undefined;
  readonly usage: TokenUsage;
  /** Wall time. */
  readonly seconds: number;
}

/** Why an answer is none. */
export const UNANSWERED = ['refused', 'cut', 'outside', 'prose', 'empty'] as const;
export type Unanswered = (typeof UNANSWERED)[number];

/** What an answer came to: numbers, or nothing. */
export type Reading = { readonly values: Float32Array } | { readonly unanswered: Unanswered };
