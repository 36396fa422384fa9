import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { parseJson } from '../json-problem.ts';

const count = z.int().positive().nullish().catch(null);
const ids = z.union([z.int().min(0), z.array(z.int().min(0))]).nullish();

/** Heads that answer something else than the next token. */
const OTHER_HEADS = /For\w*(Classification|QuestionAnswering|Detection|MultipleChoice|MaskedLM|PreTraining)$/;

const configSchema = z.object({
  is_encoder_decoder: z.boolean().nullish().catch(null),
  architectures: z.array(z.string()).nullish().catch(null),
  max_position_embeddings: count,
  n_positions: count,
  eos_token_id: ids,
  bos_token_id: z.int().min(0).nullish().catch(null),
});
const generationSchema = z.object({ eos_token_id: ids });

/** What a language model's folder says of how it is sampled. */
export interface DecoderConfig {
  /** Tokens that it has positions for; undefined where it does not say. */
  readonly maxLength: number | undefined;
  /** The tokens that end a text. */
  readonly endIds: readonly number[];
  /** The token that texts begin with, where there is one. */
  readonly beginId: number | undefined;
}

/**
 * Reads `config.json` and, where there is one, `generation_config.json`: of what both say, the latter counts, as in transformers.
 * How tokens are chosen (`do_sample`, `temperature`) is not taken from it.
 *
 * @throws LimbeckError `generate.model` for a configuration that cannot be read, of a model that encodes first, or of one with another head
 */
export function readDecoderConfig(config: string, generation?: string): DecoderConfig {
  const found = parsed(configSchema, config, 'config.json');
  const chosen =
    generation === undefined ? {} : parsed(generationSchema, generation, 'generation_config.json');
  if (found.is_encoder_decoder) {
    throw new LimbeckError('generate.model', 'the model reads a text with an encoder before it writes', {
      where: 'config.json: is_encoder_decoder',
      remedy: 'Take a decoder: GPT-2, Llama and their like.',
    });
  }
  const ends = chosen.eos_token_id ?? found.eos_token_id ?? [];
  const other = found.architectures?.find((name) => OTHER_HEADS.test(name));
  if (other !== undefined) {
    throw new LimbeckError(
      'generate.model',
      `the model is no language model that could be sampled: it is a ${other}`,
      {
        where: 'config.json: architectures',
        remedy: 'Take a model that goes on from a text (...ForCausalLM, ...LMHeadModel).',
      },
    );
  }
  return {
    maxLength: found.max_position_embeddings ?? found.n_positions ?? undefined,
    endIds: typeof ends === 'number' ? [ends] : ends,
    beginId: found.bos_token_id ?? undefined,
  };
}

function parsed<T>(schema: z.ZodType<T>, text: string, file: string): T {
  let json: unknown;
  try {
    json = parseJson(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw unreadable(file, `it is no JSON: ${(cause as Error).message}`, cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw unreadable(file, `${issue?.path.join('.') || 'the whole'}: ${issue?.message}`);
}

function unreadable(file: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError('generate.model', `${file} of the model cannot be read: ${problem}`, {
    where: file,
    remedy: 'Give the folder as it was exported.',
    cause,
  });
}
