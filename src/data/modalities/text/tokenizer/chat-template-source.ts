/** How a model wants conversations written, as its tokenizer's files say. */
export interface ChatTemplateSource {
  /** The Jinja text of `chat_template`. */
  readonly template: string;
  /** Special tokens that it may name: `bos_token`, `eos_token`. */
  readonly tokens: Readonly<Record<string, string | undefined>>;
  /** The file, for errors. */
  readonly where: string;
}

/**
 * The template that `chat_template` of a tokenizer_config.json holds: a text, or a list of named ones, of which `default` is for
 * conversations. Undefined for none.
 */
export function templateIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value as readonly ({ name?: unknown; template?: unknown } | null)[];
  const template = named.find((one) => one?.name === 'default')?.template;
  return typeof template === 'string' ? template : undefined;
}

/** The tokens around each message of ChatML. */
export const CHATML_TOKENS = ['<|im_start|>', '<|im_end|>'] as const;

/** ChatML, the template of many small chat models, with marks around what the assistant wrote. */
export const CHATML = [
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}",
  "{% if message['role'] == 'assistant' %}",
  "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}",
  "{% else %}{{ message['content'] + '<|im_end|>\\n' }}{% endif %}{% endfor %}",
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
].join('');
