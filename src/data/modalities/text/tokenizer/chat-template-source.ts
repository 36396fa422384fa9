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

/**
 * ChatML, the template of many small chat models, with marks around what the assistant wrote. Tools stand in the system's message;
 * calls and results are JSON between tags, results in a turn of the user, as Hermes models have them.
 */
export const CHATML = [
  "{% if tools %}{{ '<|im_start|>system\n' }}",
  "{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\n\n' }}{% endif %}",
  "{{ '<tools>\n' }}{% for tool in tools %}{{ (tool | tojson) + '\n' }}{% endfor %}{{ '</tools><|im_end|>\n' }}{% endif %}",
  '{% for message in messages %}',
  "{% if message['role'] == 'assistant' %}{{ '<|im_start|>assistant\n' }}",
  "{% generation %}{% if message['content'] %}{{ message['content'] }}{% endif %}",
  "{% for call in message['tool_calls'] or [] %}{% set called = call['function'] or call %}",
  "{% if message['content'] or not loop.first %}{{ '\n' }}{% endif %}",
  `{{ '<tool_call>\n{"name": ' + (called['name'] | tojson) + ', "arguments": ' + (called['arguments'] | tojson) + '}\n</tool_call>' }}{% endfor %}`,
  "{{ '<|im_end|>' }}{% endgeneration %}{{ '\n' }}",
  "{% elif message['role'] == 'tool' %}",
  "{% if loop.first or messages[loop.index0 - 1]['role'] != 'tool' %}{{ '<|im_start|>user' }}{% endif %}",
  "{{ '\n<tool_response>\n' + message['content'] + '\n</tool_response>' }}",
  "{% if loop.last or messages[loop.index0 + 1]['role'] != 'tool' %}{{ '<|im_end|>\n' }}{% endif %}",
  "{% elif not (tools and loop.first and message['role'] == 'system') %}",
  "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}",
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
].join('');
