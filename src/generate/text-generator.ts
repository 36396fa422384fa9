import { parseTokenizer, type Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import type { Engine, Session } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import { textOf } from '../platform/bytes.ts';
import { beamSearch } from './beam-search.ts';
import type { Decoder } from './decoder.ts';
import { type DecoderConfig, readDecoderConfig } from './decoder-config.ts';
import { generateTokens } from './generate-tokens.ts';
import type { FinishReason, GenerationOptions } from './generation-options.ts';
import { scoreTexts } from './score-texts.ts';
import { sessionDecoder } from './session-decoder.ts';
import { stopTest, TextStream } from './text-stream.ts';

/** How texts go on. Tokens that end a text are those that the model's configuration names. */
export interface TextGenerationOptions
  extends Omit<GenerationOptions, 'endIds' | 'isStopped' | 'seeds' | 'titleOf'> {
  /** Texts that end what is made, and are not part of it. */
  readonly stop?: string | readonly string[] | undefined;
}

export interface GenerateOptions extends TextGenerationOptions {
  /**
   * Texts that are followed at once, to find the likeliest (beam search); 1, the default, follows one. Nothing is drawn then:
   * temperature, topK, topP, seed and whenFull: 'window' are refused beside it.
   */
  readonly beams?: number | undefined;
  /** See `BeamOptions`; 1 by default. */
  readonly lengthPenalty?: number | undefined;
}

/** A piece of a text that goes on from a prompt. */
export interface TextPiece {
  /** The text that it belongs to, by the place of its prompt. */
  readonly row: number;
  /** The token that was made. */
  readonly id: number;
  /** What is known of the text now and was not before; often nothing, where a character or a stop is not complete. */
  readonly text: string;
  /** Present in the last piece of a text. */
  readonly finish?: FinishReason;
}

/** What became of a prompt. */
export interface GeneratedText {
  /** What was made, without the prompt and without special tokens. */
  readonly text: string;
  /** The tokens that were made, that which ended the text included. */
  readonly ids: readonly number[];
  readonly finish: FinishReason;
  /** Of beam search: mean log-probability of the tokens (`lengthPenalty` 1). */
  readonly score?: number;
}

export interface TextGeneratorFiles {
  /** Runs the model. */
  readonly engine: Pick<Engine, 'load'>;
  /** A file of the model's folder, by its name there: `config.json`, `onnx/model.onnx`. */
  read(name: string): Promise<Uint8Array>;
  /** Which of the folder's models is run (`onnx/model.onnx`). */
  readonly model?: string | undefined;
}

/** Prompts that the tokenizer reads whole. */
const LONGEST_PROMPT = 100_000;

/**
 * A language model in the layout of the Hugging Face hub, that goes on from texts: a student of Limbeck, or a decoder that
 * transformers' exporters wrote.
 *
 * @example
 * const model = await TextGenerator.open({
 *   engine: createWebEngine({ ort: () => import('onnxruntime-web/wasm') }),
 *   read: async (name) => new Uint8Array(await (await fetch(`student/${name}`)).arrayBuffer()),
 * });
 * for await (const { text } of model.stream('Once upon a time', { maxNewTokens: 50, topP: 0.9, seed: 1 })) show(text);
 */
export class TextGenerator {
  readonly #session: Session;
  readonly #tokenizer: Tokenizer;
  readonly #config: DecoderConfig;
  readonly #decoder: Decoder;

  /**
   * @param tokenizer the model's own
   * @throws LimbeckError `generate.model` for a model that is no decoder
   */
  constructor(session: Session, tokenizer: Tokenizer, config: DecoderConfig) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    const { endIds } = config;
    this.#config = { ...config, endIds: endIds.length > 0 ? endIds : tokenizer.endOfText };
    this.#decoder = sessionDecoder(session, { maxLength: config.maxLength });
  }

  /**
   * Opens a model's folder: `config.json`, `tokenizer.json`, `tokenizer_config.json`, the model, and `generation_config.json` where
   * there is one. The weights have to be in the model's file.
   *
   * @throws LimbeckError `generate.model`, `tokenizer.invalid`, what loading the model throws; what `read` throws
   */
  static async open({ engine, read, model = 'onnx/model.onnx' }: TextGeneratorFiles): Promise<TextGenerator> {
    const parts = await readGeneratorParts(read);
    const session = await engine.load(await read(model), { title: model });
    return TextGenerator.over(session, parts);
  }

  /** Over a session, which is released where it is no decoder's. */
  static async over(
    session: Session,
    { tokenizer, config }: { readonly tokenizer: Tokenizer; readonly config: DecoderConfig },
  ): Promise<TextGenerator> {
    try {
      return new TextGenerator(session, tokenizer, config);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /**
   * Goes on from a prompt, or from several at once, and gives each token as it comes. The same prompts, options and seed give the
   * same texts.
   *
   * @throws LimbeckError `generate.options`, `generate.prompt`, `generate.too-long` before the first piece; `generate.not-finite`
   */
  async *stream(
    prompts: string | readonly string[],
    options: TextGenerationOptions = {},
  ): AsyncGenerator<TextPiece, void, undefined> {
    const { stop, ...rest } = options;
    const stops = stopsOf(stop);
    const ids = this.#promptIds(prompts);
    const texts = ids.map((prompt) => new TextStream(this.#tokenizer, prompt, stops));
    const tokens = generateTokens(this.#decoder, ids, { ...rest, ...this.#ends(stops) });
    for await (const { row, id, finish } of tokens) {
      const text = texts[row] as TextStream;
      const piece = text.push(id);
      yield finish ? { row, id, text: piece + text.end(), finish } : { row, id, text: piece };
    }
  }

  /** Goes on from a prompt to the end. @throws as `stream` */
  generate(prompt: string, options?: GenerateOptions): Promise<GeneratedText>;
  /** Goes on from several prompts at once; the texts come in the order of their prompts. */
  generate(prompts: readonly string[], options?: GenerateOptions): Promise<GeneratedText[]>;
  async generate(
    prompts: string | readonly string[],
    options: GenerateOptions = {},
  ): Promise<GeneratedText | GeneratedText[]> {
    const { beams = 1, lengthPenalty, ...rest } = options;
    const texts = beams === 1 ? await this.#sampled(prompts, rest) : await this.#searched(prompts, options);
    return typeof prompts === 'string' ? (texts[0] as GeneratedText) : texts;
  }

  /**
   * The log-probability of each continuation after a prompt, in nats: the sum over its tokens. Both are read as one text, so that a
   * word may begin in a token that ends the prompt.
   *
   * @throws LimbeckError `generate.prompt`, `generate.too-long`
   */
  async logLikelihoods(prompt: string, continuations: readonly string[]): Promise<number[]> {
    const [own] = this.#promptIds(prompt) as [number[]];
    const texts = continuations.map((continuation) => {
      const [whole] = this.#promptIds(prompt + continuation) as [number[]];
      const shared = own.findIndex((id, i) => whole[i] !== id);
      const start = Math.max(1, shared < 0 ? own.length : shared);
      return { prompt: whole.slice(0, start), continuation: whole.slice(start) };
    });
    return scoreTexts(this.#session, texts, this.#config.maxLength);
  }

  /** How many tokens a prompt has. */
  tokens(prompt: string): number {
    return (this.#promptIds(prompt)[0] as number[]).length;
  }

  /** So many tokens of a text the model reads; undefined where nothing is known of a bound. */
  get maxLength(): number | undefined {
    return this.#config.maxLength;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  async #sampled(
    prompts: string | readonly string[],
    options: TextGenerationOptions,
  ): Promise<GeneratedText[]> {
    const texts = listOf(prompts).map(() => ({
      text: '',
      ids: [] as number[],
      finish: 'length' as FinishReason,
    }));
    for await (const { row, id, text, finish } of this.stream(prompts, options)) {
      const made = texts[row] as (typeof texts)[number];
      made.text += text;
      made.ids.push(id);
      if (finish) made.finish = finish;
    }
    return texts;
  }

  async #searched(prompts: string | readonly string[], options: GenerateOptions): Promise<GeneratedText[]> {
    refuseBesideBeams(options);
    const { beams = 1, lengthPenalty, maxNewTokens, repetitionPenalty, signal } = options;
    const stops = stopsOf(options.stop);
    const ids = this.#promptIds(prompts);
    const found = await beamSearch(this.#decoder, ids, {
      ...{ beams, lengthPenalty, maxNewTokens, repetitionPenalty, signal },
      ...this.#ends(stops),
    });
    return found.map(([best], row) => {
      if (!best) throw new Error('a beam search found no text');
      const text = new TextStream(this.#tokenizer, ids[row] as readonly number[], stops);
      return { ...best, text: best.ids.map((id) => text.push(id)).join('') + text.end() };
    });
  }

  #ends(stops: readonly string[]): Pick<GenerationOptions, 'endIds' | 'isStopped'> {
    const { endIds } = this.#config;
    return { endIds, ...(stops.length > 0 && { isStopped: stopTest(this.#tokenizer, stops) }) };
  }

  #promptIds(prompts: string | readonly string[]): number[][] {
    return listOf(prompts).map((prompt) => {
      if (prompt.length > LONGEST_PROMPT) {
        throw new LimbeckError('generate.prompt', `a prompt has ${prompt.length} characters`, {
          remedy: `Give at most ${LONGEST_PROMPT}.`,
        });
      }
      const ids = this.#tokenizer.promptIds(prompt);
      if (ids.length > 0) return ids;
      // GPT-2 was trained on texts with its end token between them: it begins a text, too.
      const begin = this.#config.beginId ?? this.#config.endIds[0];
      return begin === undefined ? [] : [begin];
    });
  }
}

/** What a generator needs of a folder besides the model. */
export async function readGeneratorParts(
  read: TextGeneratorFiles['read'],
): Promise<{ readonly tokenizer: Tokenizer; readonly config: DecoderConfig }> {
  const config = textOf(await read('config.json'));
  const generation = await read('generation_config.json').then(textOf, () => undefined);
  const [json, tokenizerConfig] = [await read('tokenizer.json'), await read('tokenizer_config.json')];
  return {
    config: readDecoderConfig(config, generation),
    tokenizer: parseTokenizer(json, tokenizerConfig, 'tokenizer.json'),
  };
}

function listOf(prompts: string | readonly string[]): readonly string[] {
  return typeof prompts === 'string' ? [prompts] : prompts;
}

function stopsOf(stop: string | readonly string[] | undefined): readonly string[] {
  const stops = stop === undefined ? [] : listOf(stop);
  if (!stops.includes('')) return stops;
  throw new LimbeckError('generate.options', 'a text of no characters ends nothing', {
    where: 'stop',
    remedy: 'Leave it out.',
  });
}

function refuseBesideBeams(options: GenerateOptions): void {
  const drawing = (['temperature', 'topK', 'topP', 'seed'] as const).find(
    (name) => options[name] !== undefined,
  );
  const other = drawing ?? (options.whenFull === 'window' ? 'whenFull' : undefined);
  if (other === undefined) return;
  throw new LimbeckError(
    'generate.options',
    `${other} means nothing beside beams: the likeliest texts are looked for`,
    {
      where: other,
      remedy: `Leave out beams or ${other}.`,
    },
  );
}
