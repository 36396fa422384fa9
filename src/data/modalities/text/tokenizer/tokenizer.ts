import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { LimbeckError } from '../../../../errors.ts';
import { parseJson } from '../../../../json-problem.ts';
import { isLfsPointer, LFS_POINTER } from '../../../../lfs-pointer.ts';
import { withinSeconds } from '../../../../limited-time.ts';
import { createSha256 } from '../../../../platform/hash.ts';
import { canonicalJson } from '../../../canonical-json.ts';
import { ByteLevelEncoder } from './byte-level-encoder.ts';
import { type ChatTemplateSource, templateIn } from './chat-template-source.ts';
import { libraryDifferences } from './library-differences.ts';
import { missingTokenProblem } from './missing-tokens.ts';
import { type NamedTokens, namedTokens } from './named-tokens.ts';
import { findPaddingToken, type PaddingToken } from './padding-token.ts';
import { type SafeLength, safeLength } from './pattern-danger.ts';
import { rewrittenForLibrary } from './rewritten-for-library.ts';
import { shippedConfig, shippedTokenizer, tokensBefore, withAllSections } from './shipped-tokenizer.ts';
import {
  cutTokens,
  type PairTemplate,
  pairLengths,
  pairTemplate,
  type TokenFrame,
  type TokenTypes,
  tokenFrame,
  tokenTypes,
} from './special-tokens.ts';
import {
  type ExactSpelling,
  exactSpelling,
  spelledBytes,
  type TokenSpelling,
  tokenBytes,
  tokenSpelling,
} from './token-bytes.ts';
import { formProblem } from './tokenizer-form.ts';
import { UnigramEncoder, type UnigramModel } from './unigram.ts';

/** A JSON object as it stands in a file. */
export type JsonObject = Record<string, unknown>;

/** A file that ships with a student. */
export interface NamedFile {
  name: string;
  bytes: Uint8Array;
}

/** For one text: what a real tokenizer needs, a thousand times over. */
const SECONDS_PER_TEXT = 10;
/** Characters beyond which a text is cut before it is tokenized, however many tokens are asked for. */
const LONGEST_TEXT = 100_000;

/**
 * A Hugging Face `tokenizer.json` with its `tokenizer_config.json`. What trains is what ships: the same two files
 * are read here and by transformers.js, and give the same ids.
 *
 * @example
 * const tokenizer = await useLiteTokenizer();
 * tokenizer.encode('a domesticated animal', 64); // [11, 5317, ...]
 */
export class Tokenizer {
  /** Rows that an embedding table needs: the largest id + 1. */
  readonly vocabularySize: number;
  readonly padId: number;
  readonly unkId: number;
  /** The id of what the vocabulary does not have; undefined for one that has every text in some form. */
  readonly unknownId: number | undefined;
  /** SHA-256 (hex) of both files in canonical form: part of every cache key that depends on ids. */
  readonly hash: string;
  /** The special tokens around a text, where it is cut, and where it is padded. */
  readonly frame: TokenFrame;
  readonly #json: JsonObject;
  readonly #config: JsonObject;
  readonly #named: NamedTokens;
  readonly #padding: PaddingToken;
  readonly #library: LibraryTokenizer;
  readonly #unigram: UnigramEncoder | undefined;
  readonly #byteLevel: ByteLevelEncoder | undefined;
  /** The ids of an empty text: special tokens alone. */
  readonly #around: readonly number[];
  /** Texts up to this length are tokenized without a limit of time. */
  readonly #safeLength: SafeLength;
  readonly #seconds: number;
  readonly #where: string;
  #spelling: TokenSpelling | undefined;

  /**
   * `where` names the files in errors, `specialTokensMap` is the content of special_tokens_map.json, which older models
   * have beside the others. Throws LimbeckError `tokenizer.invalid`.
   */
  constructor(
    json: JsonObject,
    config: JsonObject,
    where = 'tokenizer.json',
    specialTokensMap: JsonObject = {},
    secondsPerText = SECONDS_PER_TEXT,
  ) {
    const problem = formProblem(json, config);
    if (problem !== undefined) throw invalid(problem, where);
    const readable = rewrittenForLibrary(json);
    this.#safeLength = safeLength(readable);
    this.#seconds = secondsPerText;
    this.#where = where;
    this.#json = withAllSections(readable);
    this.#config = config;
    this.#named = namedTokens(config, specialTokensMap, json);
    const { tokens } = this.#named;
    // The library looks for the unknown token of a vocabulary of whole words here, and only as text.
    this.#library = openLibrary(this.#json, { ...config, ...tokens }, where);
    const vocabulary = this.#library.get_vocab(true);
    let largest = -1;
    for (const id of vocabulary.values()) largest = Math.max(largest, id);
    this.vocabularySize = largest + 1;
    if (this.vocabularySize === 0) throw invalid('the vocabulary is empty', where);

    const unk = this.#library.model?.unk_token_id ?? this.#idOf(tokens.unk_token);
    const missing = missingTokenProblem(this.#json, { idOf: (token) => this.#idOf(token), unknown: unk });
    if (missing !== undefined) throw invalid(missing, where);
    // A byte-level vocabulary knows every text and needs no unknown token; 0 stands in for token dropout.
    this.unkId = unk ?? 0;
    this.unknownId = unk;
    const padding = findPaddingToken(this.#json, tokens, {
      idOf: (token) => this.#idOf(token),
      textOf: (id) => this.#library.id_to_token(id),
    });
    if ('problem' in padding) throw invalid(padding.problem, where);
    this.#padding = padding;
    this.padId = padding.id;
    this.frame = tokenFrame(json, config, this.#library.post_processor);
    const mapped = Object.keys(specialTokensMap).length > 0 ? { specialTokensMap } : {};
    this.hash = createSha256()
      .update(canonicalJson({ json: readable, config, ...mapped }))
      .digest('hex');
    this.#unigram = this.#canUseUnigram() ? new UnigramEncoder(json.model as UnigramModel) : undefined;
    this.#byteLevel = this.#canUseByteLevel() ? ByteLevelEncoder.of(this.#json, this.#library) : undefined;
    this.#around = this.#byteLevel ? this.#library.encode('').ids : [];
  }

  /**
   * The ids of a text, at most `maxLength` of them: the text is cut, its special tokens stay, as transformers does
   * with `truncation`. Only the first 100,000 characters are looked at, or the last ones where a text loses its start.
   */
  encode(text: string, maxLength: number = Number.POSITIVE_INFINITY): number[] {
    const seen =
      this.frame.truncationSide === 'right' ? text.slice(0, LONGEST_TEXT) : text.slice(-LONGEST_TEXT);
    return this.cut(
      this.#limited(seen, () => this.#idsOf(seen)),
      maxLength,
    );
  }

  /** What is left of a text's ids where only `maxLength` of them are read. */
  cut(ids: number[], maxLength: number): number[] {
    return ids.length > maxLength ? [...cutTokens(ids, maxLength, this.frame)] : ids;
  }

  /**
   * The ids of a pair of texts and their `token_type_ids`, at most `maxLength`: the longer text is cut first, special tokens
   * stay. `whole` is how many ids there were before.
   */
  encodePair(
    first: string,
    second: string,
    maxLength: number = Number.POSITIVE_INFINITY,
  ): { ids: number[]; types: number[]; whole: number } {
    const texts = [first, second].map((text) => this.#plainIds(text)) as [number[], number[]];
    const { parts, types } = this.#pairTemplate;
    const special = parts.filter((part) => 'id' in part).length;
    const kept = pairLengths(texts[0].length, texts[1].length, maxLength - special);
    const result = {
      ids: [] as number[],
      types: [] as number[],
      whole: texts[0].length + texts[1].length + special,
    };
    for (const [i, part] of parts.entries()) {
      const ids = 'id' in part ? [part.id] : this.#ends(texts[part.text], kept[part.text]);
      for (const id of ids) {
        result.ids.push(id);
        result.types.push(types[i] ?? 0);
      }
    }
    return result;
  }

  /** Whether the texts of a pair have different types: then a model has `token_type_ids`. */
  get hasPairTypes(): boolean {
    return this.#pairTemplate.types.some((type) => type !== 0);
  }

  /**
   * What was assumed where the files say nothing, or disagree, and what they ask for that the library does otherwise:
   * sentences for a run to tell.
   */
  get warnings(): readonly string[] {
    const differences = libraryDifferences(this.#json);
    return [...this.#named.warnings, ...this.#padding.warnings, ...differences];
  }

  /** The special tokens that stand at the end of every text. */
  get endIds(): number[] {
    const { after } = this.frame;
    return after > 0 ? this.encode('').slice(-after) : [];
  }

  /** The ids of a text without special tokens around it: of a part of a longer text. */
  encodePlain(text: string): number[] {
    return this.#plainIds(text);
  }

  /** The token that ends a text which a model writes, as a list; empty where the files name none. */
  get endOfText(): number[] {
    const id = this.#idOf(this.#named.tokens.eos_token);
    return id === undefined ? [] : [id];
  }

  /** How the model wants conversations written: Jinja, and the special tokens that it may name; undefined without one. */
  get chatTemplate(): ChatTemplateSource | undefined {
    const template = templateIn(this.#config.chat_template);
    if (template === undefined) return undefined;
    return { template, tokens: this.#named.tokens, where: `chat_template of ${this.#where}` };
  }

  /** The text of ids, special tokens left out. */
  decode(ids: readonly number[]): string {
    return ids.length === 0 ? '' : this.#library.decode([...ids], { skip_special_tokens: true });
  }

  /** The library's own ids of a text, or of a pair: what a reader of the shipped files gets. */
  encodeByLibrary(text: string, pair: string | null = null): number[] {
    return this.#limited(text, () => this.#library.encode(text, { text_pair: pair }).ids);
  }

  /**
   * The ids of a text that a model is to go on from: the special tokens before a text stand there, unless `add_bos_token` of the
   * configuration is false, those behind it do not.
   */
  promptIds(text: string): number[] {
    if (this.#config.add_bos_token === false) return this.#plainIds(text);
    const ids = this.encode(text);
    return ids.slice(0, ids.length - this.frame.after);
  }

  /** What a model that has `token_type_ids` is given for a single text. */
  get types(): TokenTypes {
    return tokenTypes(this.#library.post_processor, (token) => this.#library.token_to_id(token));
  }

  /** The text of a token. */
  token(id: number): string {
    return this.#library.id_to_token(id) ?? '';
  }

  /** The bytes of the text that a token stands for, without spaces; none for special tokens. */
  bytesOf(id: number): Uint8Array {
    this.#spelling ??= tokenSpelling(this.#json);
    const special = this.#library.get_added_tokens_decoder().get(id)?.special === true;
    return special ? new Uint8Array(0) : tokenBytes(this.token(id), this.#spelling);
  }

  /** How tokens spell the bytes of texts, spaces too; undefined where they do not. */
  get exactSpelling(): ExactSpelling | undefined {
    return exactSpelling(this.#json);
  }

  /** The bytes that a token stands for in a text, spaces too; of an added token its text's. */
  spelledBytes(id: number, spelling: ExactSpelling): Uint8Array {
    const isAdded = this.#library.get_added_tokens_decoder().has(id);
    return isAdded ? new TextEncoder().encode(this.token(id)) : spelledBytes(this.token(id), spelling);
  }

  /** A text with the case and the accents that the tokenizer reads it with. */
  normalized(text: string): string {
    return this.#library.normalizer ? this.#library.normalizer.normalize(text) : text;
  }

  /** The two files as they were read. */
  toFiles(): NamedFile[] {
    return twoFiles(this.#json, this.#config);
  }

  /** The two files for a student that reads `maxLength` tokens, in the form that its readers need. */
  toShippedFiles(maxLength: number): NamedFile[] {
    const { tokens } = this.#named;
    return twoFiles(
      shippedTokenizer(this.#json),
      shippedConfig(this.#config, { tokens, padToken: this.#padding.text, maxLength }),
    );
  }

  /**
   * The two files for a language model: as `toShippedFiles`, but that only the special tokens before a text are put there, because the
   * model is to go on from its end. All readers do so: `add_bos_token` is what transformers.js asks.
   */
  toPromptFiles(maxLength: number): NamedFile[] {
    const { before } = this.frame;
    const tokens = this.encode('')
      .slice(0, before)
      .map((id) => ({ id, text: this.token(id) }));
    const { tokens: named } = this.#named;
    const config = shippedConfig(this.#config, { tokens: named, padToken: this.#padding.text, maxLength });
    return twoFiles(
      { ...shippedTokenizer(this.#json), post_processor: tokensBefore(tokens) },
      { ...config, padding_side: 'left', add_bos_token: before > 0, add_eos_token: false },
    );
  }

  #idOf(token: string | undefined): number | undefined {
    return token === undefined ? undefined : this.#library.token_to_id(token);
  }

  /** Our Viterbi replaces the library's model step only, so it needs a pipeline without added tokens around it. */
  #canUseUnigram(): boolean {
    const added = this.#json.added_tokens as unknown[];
    const model = this.#json.model as { type?: string; byte_fallback?: boolean } | undefined;
    return (
      model?.type === 'Unigram' &&
      !model.byte_fallback &&
      added.length === 0 &&
      this.#library.post_processor === null &&
      this.#config.remove_space !== true &&
      this.#config.do_lowercase_and_remove_accent !== true
    );
  }

  #canUseByteLevel(): boolean {
    return this.#config.remove_space !== true && this.#config.do_lowercase_and_remove_accent !== true;
  }

  get #pairTemplate(): PairTemplate {
    return pairTemplate(this.#library.post_processor, (token) => this.#library.token_to_id(token));
  }

  /** The ids of a text without special tokens around it. */
  #plainIds(text: string): number[] {
    const seen =
      this.frame.truncationSide === 'right' ? text.slice(0, LONGEST_TEXT) : text.slice(-LONGEST_TEXT);
    return this.#limited(seen, () =>
      this.#unigram
        ? this.#encodeUnigram(seen, this.#unigram)
        : this.#byteLevel
          ? encodedBy(this.#byteLevel, seen)
          : this.#library.encode(seen, { add_special_tokens: false }).ids,
    );
  }

  #ends(ids: readonly number[], kept: number): readonly number[] {
    if (ids.length <= kept) return ids;
    return this.frame.truncationSide === 'right' ? ids.slice(0, kept) : ids.slice(ids.length - kept);
  }

  #idsOf(text: string): number[] {
    if (this.#unigram) return this.#encodeUnigram(text, this.#unigram);
    if (!this.#byteLevel) return this.#library.encode(text).ids;
    const { before } = this.frame;
    return [
      ...this.#around.slice(0, before),
      ...encodedBy(this.#byteLevel, text),
      ...this.#around.slice(before),
    ];
  }

  /** Tokenizes a text, and gives up where the file's own regular expressions do not come to an end with it. */
  #limited(text: string, tokenize: () => number[]): number[] {
    if (text.length <= this.#safeLength) return tokenize();
    return withinSeconds(this.#seconds, tokenize, () => {
      const start = text.length > 60 ? `${text.slice(0, 60)}...` : text;
      return new LimbeckError(
        'tokenizer.too-slow',
        `a regular expression of the tokenizer takes more than ${this.#seconds} seconds for one text`,
        {
          where: `${this.#where}, for the text ${JSON.stringify(start)}`,
          remedy: "Check where the tokenizer is from: no known model's pattern does that.",
        },
      );
    });
  }

  #encodeUnigram(text: string, unigram: UnigramEncoder): number[] {
    const ids: number[] = [];
    if (text.length === 0) return ids;
    const { normalizer, pre_tokenizer } = this.#library;
    const normalized = normalizer ? normalizer.normalize(text) : text;
    if (normalized.length === 0) return ids;
    const words = pre_tokenizer ? pre_tokenizer.pre_tokenize(normalized, { section_index: 0 }) : [normalized];
    for (const word of words) unigram.encodeInto(word, ids);
    return ids;
  }
}

function encodedBy(encoder: ByteLevelEncoder, text: string): number[] {
  const ids: number[] = [];
  encoder.encodeInto(text, ids);
  return ids;
}

/** Reads a tokenizer from the bytes of its files; a chat_template.jinja counts before the template of the configuration. */
export function parseTokenizer(
  tokenizerJson: Uint8Array,
  configJson: Uint8Array,
  where: string,
  specialTokensMap?: Uint8Array,
  chatTemplate?: Uint8Array,
): Tokenizer {
  const read = (bytes: Uint8Array, name: string): JsonObject => {
    let value: unknown;
    try {
      value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (cause) {
      const start = new TextDecoder().decode(bytes.subarray(0, 40));
      const problem = isLfsPointer(start) ? `it is ${LFS_POINTER}` : (cause as Error).message;
      throw invalid(`${name} is not JSON: ${problem}`, where, cause);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalid(`${name} is not a JSON object`, where);
    }
    return value as JsonObject;
  };
  const config = read(configJson, 'tokenizer_config.json');
  return new Tokenizer(
    read(tokenizerJson, 'tokenizer.json'),
    chatTemplate ? { ...config, chat_template: new TextDecoder().decode(chatTemplate) } : config,
    where,
    specialTokensMap && read(specialTokensMap, 'special_tokens_map.json'),
  );
}

function openLibrary(json: JsonObject, config: JsonObject, where: string): LibraryTokenizer {
  try {
    return new LibraryTokenizer(json, config);
  } catch (cause) {
    throw invalid(`the tokenizer cannot be read: ${(cause as Error).message}`, where, cause);
  }
}

function invalid(problem: string, where: string, cause?: unknown): LimbeckError {
  return new LimbeckError('tokenizer.invalid', problem, {
    where,
    remedy: 'Give the tokenizer.json and tokenizer_config.json that belong to the model.',
    cause,
  });
}

function twoFiles(json: JsonObject, config: JsonObject): NamedFile[] {
  return [
    { name: 'tokenizer.json', bytes: jsonBytes(json) },
    { name: 'tokenizer_config.json', bytes: jsonBytes(config) },
  ];
}

function jsonBytes(value: JsonObject): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}
