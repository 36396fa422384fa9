import { z } from 'zod';
import { readSettingsJson } from '../settings-file.ts';
import { fileOf, type ModelFiles } from './model-folder.ts';
import { readSentenceConfig, type SentenceConfig } from './sentence-config.ts';
import { PROMPTS_FILE } from './sentence-prompt.ts';

/** What sentence-transformers does to texts before a model's tokenizer reads them: a sentence for each, to be told where it matters. */
export interface SentenceReading {
  readonly lowers?: string | undefined;
  readonly strips?: string | undefined;
}

/** @param config what `readSentenceConfig` finds there */
export function sentenceReading(
  files: Pick<ModelFiles, 'folders'>,
  config: SentenceConfig | undefined = readSentenceConfig(files),
): SentenceReading {
  const lowers = config?.lowercases
    ? `texts are lowered before they are tokenized, as ${config.name} says (do_lower_case); tokenizer.json does not do so`
    : undefined;
  const isSentenceModel = config !== undefined || fileOf(files, 'modules.json') !== undefined;
  return { lowers, strips: isSentenceModel ? blanksNote(files) : undefined };
}

/** The first version of sentence-transformers that leaves blanks around texts to the tokenizer. */
const KEEPS_BLANKS = [5, 4] as const;

const schema = z.object({ __version__: z.object({ sentence_transformers: z.string() }) });

/**
 * Why blanks around texts are left out, as a sentence; undefined where they are not. Until version 5.3 `Transformer.tokenize` took
 * `text.strip()`, of the prompt and the text together, and of each text of a pair; 5.4 does not. A model was trained with what the version did
 * that wrote its files; where they name none, an old one did.
 */
function blanksNote(files: Pick<ModelFiles, 'folders'>): string | undefined {
  const version = versionIn(fileOf(files, PROMPTS_FILE));
  const [major = 0, minor = 0] = version?.split('.').map(Number) ?? [];
  const [since, sinceMinor] = KEEPS_BLANKS;
  if (major > since || (major === since && minor >= sinceMinor)) return undefined;
  const who = version === undefined ? 'before version 5.4' : `in version ${version}, which wrote the model`;
  return `blanks around texts are left out before the teacher reads them, as sentence-transformers did ${who}`;
}

/** Undefined for a file that says none, or cannot be read: who needs more of it tells. */
function versionIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return schema.parse(readSettingsJson(file)).__version__.sentence_transformers;
  } catch {
    return undefined;
  }
}
