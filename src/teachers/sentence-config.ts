import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { readSettingsJson } from '../settings-file.ts';
import { declaredLength, LEAST_LENGTH, NO_LIMIT } from './declared-length.ts';
import { fileOf, type ModelFiles } from './model-folder.ts';

/** How sentence-transformers reads texts for a model, beside its tokenizer. */
export interface SentenceConfig {
  /** The file's name, for people. */
  readonly name: string;
  /** Tokens of a text, with special ones; undefined where the file leaves it to the tokenizer. */
  readonly maxLength: number | undefined;
  /** Whether texts are lowered before they are tokenized. */
  readonly lowercases: boolean;
}

/** The names under which sentence-transformers looks for it, in its order. */
const NAMES = ['bert', 'roberta', 'distilbert', 'camembert', 'albert', 'xlm-roberta', 'xlnet'].map(
  (model) => `sentence_${model}_config.json`,
);

const schema = z.object({
  max_seq_length: z
    .number()
    .refine((value) => value >= NO_LIMIT || (Number.isInteger(value) && value >= LEAST_LENGTH))
    .nullish(),
  do_lower_case: z.boolean().nullish(),
});

/**
 * The `sentence_bert_config.json` of a model's folder (Reimers and Gurevych, 2019: `models.Transformer`); undefined where there is
 * none.
 *
 * @throws LimbeckError `teacher.config` for a file that cannot be read
 */
export function readSentenceConfig(files: Pick<ModelFiles, 'folders'>): SentenceConfig | undefined {
  for (const name of NAMES) {
    const file = fileOf(files, name);
    if (file === undefined) continue;
    try {
      const json = readSettingsJson(file);
      const { success, data, error } = schema.safeParse(json);
      if (!success) throw error;
      const { length } = declaredLength(data.max_seq_length, 'max_seq_length');
      return { name, maxLength: length, lowercases: data.do_lower_case === true };
    } catch (cause) {
      if (cause instanceof LimbeckError) throw cause;
      const key = cause instanceof z.ZodError ? cause.issues[0]?.path[0] : undefined;
      throw new LimbeckError(
        'teacher.config',
        `${name} cannot be used: ${key === undefined ? 'it is not' : `its ${String(key)} is not`} as sentence-transformers writes it`,
        {
          where: file,
          remedy: `Its max_seq_length is a number of tokens, ${LEAST_LENGTH} at least, or null, its do_lower_case true or false: mend it, or move it away.`,
          cause,
        },
      );
    }
  }
  return undefined;
}

/** The lengths that a model's files give, in tokens. */
export interface DeclaredLengths {
  readonly sentence?: SentenceConfig | undefined;
  /** `model_max_length` of tokenizer_config.json. */
  readonly tokenizer: number | undefined;
  /** Positions that the model has, as its config.json says. */
  readonly positions: number | undefined;
  /** Where nothing tells. */
  readonly otherwise: number;
}

/** The tokens of a text that a teacher reads, and what was assumed where its files disagree. */
export function readingLength({ sentence, tokenizer, positions, otherwise }: DeclaredLengths): {
  readonly maxLength: number;
  readonly notes: readonly string[];
} {
  const asked = sentence?.maxLength;
  if (asked === undefined) return { maxLength: tokenizer ?? positions ?? otherwise, notes: [] };
  const limit = positions ?? asked;
  if (asked > limit) {
    return {
      maxLength: limit,
      notes: [
        `${sentence?.name} says ${asked} tokens, and the model has positions for ${limit} (config.json): its texts are cut at ${limit}`,
      ],
    };
  }
  if (tokenizer === undefined || tokenizer === asked) return { maxLength: asked, notes: [] };
  return {
    maxLength: asked,
    notes: [
      `the teacher's texts are cut at ${asked} tokens, as ${sentence?.name} says (max_seq_length), not at ${tokenizer} of tokenizer_config.json`,
    ],
  };
}
