import type { InputMetadata, Session } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import { fromFloat16 } from '../onnx/half-float.ts';
import { type Tensor, zeros } from '../onnx/tensor.ts';
import type { Decoder, NextLogits, Reading } from './decoder.ts';
import { isTextInput, padLeft, textFeeds } from './text-feeds.ts';
import { LOGITS, noLanguageModel, requireTokenLogits } from './token-logits.ts';

/** `past_key_values.0.key`: what comes in; `present.0.key`: what goes out, and comes in again. */
const PAST = /^past_key_values\./;
export interface SessionDecoderOptions {
  /** Tokens that the model has positions for; no bound where it is not told. */
  readonly maxLength?: number | undefined;
  /** What errors call the model. */
  readonly title?: string;
}

/**
 * The decoder that a loaded model is. With inputs `past_key_values.N.key` and `.value`, [batch, heads, past, size], and outputs
 * `present.N.key` and `.value` it keeps what it computed of earlier tokens (`withKeyValueCache`, and the layout of transformers'
 * exporters); without them every token has the whole text read again, which is how a student is sampled while it is trained.
 *
 * Both read `input_ids` and, where they ask for them, `attention_mask` and `position_ids`, int64 [batch, sequence], and answer with
 * `logits` [batch, sequence, vocabulary].
 *
 * @throws LimbeckError `generate.model` for a model with other inputs, or without logits
 */
export function sessionDecoder(session: Session, options: SessionDecoderOptions = {}): Decoder {
  const { maxLength, title = 'the model' } = options;
  const pasts = session.inputNames.filter((name) => PAST.test(name));
  const strange = session.inputNames.filter((name) => !PAST.test(name) && !isTextInput(name));
  const missing = pasts.map(presentOf).find((name) => !session.outputNames.includes(name));
  if (strange.length > 0 || !session.inputNames.includes('input_ids')) {
    throw noDecoder(
      title,
      strange.length > 0 ? `it asks for ${strange.join(', ')}` : 'it has no input input_ids',
      session,
    );
  }
  if (!session.outputNames.includes(LOGITS)) throw noDecoder(title, 'it has no output logits', session);
  if (missing !== undefined) throw noDecoder(title, `it has no output ${missing}`, session);
  const empty = pasts.map((name) => emptyPast(session, name, title));
  return {
    maxLength,
    begin: () =>
      empty.length > 0 ? new CachedReading(session, empty, title) : new WholeReading(session, title),
  };
}

/** An input of a cache, with the sizes of what it has for each token. */
interface PastInput {
  readonly name: string;
  /** The output that is the input of the next run. */
  readonly present: string;
  readonly type: 'float32' | 'float16';
  readonly heads: number;
  readonly size: number;
}

/** Reads new tokens alone: what was computed of earlier ones is kept in the tensors that the model gave. */
class CachedReading implements Reading {
  readonly #session: Session;
  readonly #past: readonly PastInput[];
  #cache: Record<string, Tensor> = {};
  /** Tokens read of each row, padding included. */
  #length = 0;
  #padding: readonly number[] = [];
  readonly #fetches: Readonly<Record<string, null>>;
  readonly #title: string;

  constructor(session: Session, past: readonly PastInput[], title: string) {
    this.#session = session;
    this.#title = title;
    this.#past = past;
    this.#fetches = Object.fromEntries(
      [LOGITS, ...past.map(({ present }) => present)].map((name) => [name, null]),
    );
  }

  async read(tokens: readonly (readonly number[])[]): Promise<NextLogits> {
    const { ids, length, padding } = padLeft(tokens);
    if (this.#length === 0) this.#begin(padding);
    else if (padding.length !== this.#padding.length || padding.some((pads) => pads > 0))
      throw new Error('each text goes on by as many tokens');
    this.#length += length;
    const texts = { ids, count: length, length: this.#length, padding: this.#padding };
    const outputs = await this.#session.run(
      { ...textFeeds(this.#session.inputNames, texts), ...this.#cache },
      this.#fetches,
    );
    // The tensors themselves: nothing is copied.
    for (const { name, present } of this.#past) this.#cache[name] = outputs[present] as Tensor;
    return lastLogits(outputs[LOGITS] as Tensor, tokens.length, this.#title);
  }

  keep(rows: readonly number[]): void {
    this.#padding = rows.map((row) => this.#padding[row] as number);
    for (const [name, kept] of Object.entries(this.#cache)) this.#cache[name] = rowsOf(kept, rows);
  }

  #begin(padding: readonly number[]): void {
    this.#padding = padding;
    for (const { name, type, heads, size } of this.#past)
      this.#cache[name] = zeros(type, [padding.length, heads, 0, size]);
  }
}

/** Reads the whole of every text for each token. */
class WholeReading implements Reading {
  readonly #session: Session;
  readonly #title: string;
  #texts: readonly (readonly number[])[] = [];

  constructor(session: Session, title: string) {
    this.#session = session;
    this.#title = title;
  }

  async read(tokens: readonly (readonly number[])[]): Promise<NextLogits> {
    this.#texts =
      this.#texts.length === 0
        ? tokens
        : this.#texts.map((text, row) => [...text, ...(tokens[row] as readonly number[])]);
    const { ids, length, padding } = padLeft(this.#texts);
    const texts = { ids, count: length, length, padding };
    const outputs = await this.#session.run(textFeeds(this.#session.inputNames, texts), {
      [LOGITS]: null,
    });
    return lastLogits(outputs[LOGITS] as Tensor, tokens.length, this.#title);
  }

  keep(rows: readonly number[]): void {
    this.#texts = rows.map((row) => this.#texts[row] as readonly number[]);
  }
}

/** What `logits` [rows, tokens, vocabulary] say after the last token. */
function lastLogits(logits: Tensor, rows: number, title: string): NextLogits {
  requireTokenLogits(logits, rows, title);
  const { type, dims, data } = logits;
  const [, tokens, vocabulary] = dims as readonly [number, number, number];
  const values = data as Float32Array | Uint16Array;
  return {
    row(row) {
      const end = (row + 1) * tokens * vocabulary;
      const last = values.subarray(end - vocabulary, end);
      return type === 'float16' ? Float32Array.from(last, fromFloat16) : (last as Float32Array);
    },
  };
}

/** Rows of a tensor, copied. */
function rowsOf({ type, dims, data }: Tensor, rows: readonly number[]): Tensor {
  const [before, ...rest] = dims as readonly [number, ...number[]];
  const values = data as Float32Array;
  const length = values.length / before;
  const chosen = new (values.constructor as typeof Float32Array)(rows.length * length);
  for (const [i, row] of rows.entries())
    chosen.set(values.subarray(row * length, (row + 1) * length), i * length);
  return { type, dims: [rows.length, ...rest], data: chosen };
}

function presentOf(past: string): string {
  return past.replace(PAST, 'present.');
}

/** An input of a cache before the first token. */
function emptyPast(session: Session, name: string, title: string): PastInput {
  if (!session.inputMetadata) {
    throw new LimbeckError('generate.model', `the engine does not tell the shapes of what ${title} keeps`, {
      where: name,
      remedy: 'Take onnxruntime-web 1.22 or later.',
    });
  }
  const { type, shape } = session.inputMetadata.find((input) => input.name === name) as InputMetadata;
  const [, heads, , size] = shape;
  const isKept = shape.length === 4 && typeof heads === 'number' && typeof size === 'number';
  if (isKept && (type === 'float32' || type === 'float16'))
    return { name, present: presentOf(name), type, heads, size };
  throw new LimbeckError(
    'generate.model',
    `${title} keeps something else than keys and values of attention`,
    {
      where: `${name}: ${type} [${shape.join(', ')}]`,
      remedy: 'Expected is float32 or float16 [batch, heads, past, size], with heads and size as numbers.',
    },
  );
}

function noDecoder(title: string, problem: string, session: Session): LimbeckError {
  const where = `inputs: ${session.inputNames.join(', ')}; outputs: ${session.outputNames.join(', ')}`;
  return noLanguageModel(title, problem, where);
}
