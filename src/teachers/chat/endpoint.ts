import type OpenAI from 'openai';
import { LimbeckError } from '../../errors.ts';
import { ENVIRONMENT } from '../../platform/machine.ts';
import { endpointAddress, plainAddress } from './address.ts';
import { endpointError, isPassing, ofLimbeck, waitOf } from './endpoint-errors.ts';
import { guardedFetch } from './guarded-fetch.ts';
import type { ChatChoice } from './options.ts';
import type { ChatMessage } from './prompt.ts';
import { readReply, readVectors } from './read-reply.ts';
import type { Reply } from './reply.ts';

/** What is asked in one request. */
export interface ChatQuestion {
  readonly messages: readonly ChatMessage[];
  readonly temperature: number;
  readonly maxTokens: number;
  /** How many alternatives of each token are wanted; none when absent. */
  readonly alternatives?: number | undefined;
  /** Answers to this one request. */
  readonly count?: number | undefined;
  /** What an answer has to look like: a JSON schema. */
  readonly schema?: { readonly name: string; readonly schema: Record<string, unknown> } | undefined;
}

/** Longer than that nobody waits for an endpoint that asks to be left alone. */
const LONGEST_WAIT = 900;

/** An endpoint that speaks as OpenAI's API does. */
export class ChatEndpoint {
  readonly address: URL;
  readonly #choice: ChatChoice;
  readonly #client: OpenAI;
  readonly #key: string | undefined;
  readonly #onWait: (message: string) => void;
  /** Until then nothing is sent: the endpoint said so. Milliseconds of `performance.now`. */
  #held = 0;

  private constructor(
    choice: ChatChoice,
    client: OpenAI,
    key: string | undefined,
    onWait: (message: string) => void,
  ) {
    this.#choice = choice;
    this.address = endpointAddress(choice.baseURL);
    this.#client = client;
    this.#key = key;
    this.#onWait = onWait;
  }

  /**
   * Makes a client; nothing is sent.
   *
   * @param onWait told when the endpoint asks for time, or a request is tried again
   * @throws LimbeckError `teacher.key` when the key is not in the environment
   */
  static async open(choice: ChatChoice, onWait: (message: string) => void = () => {}): Promise<ChatEndpoint> {
    const address = endpointAddress(choice.baseURL);
    const key = choice.key === false ? undefined : ENVIRONMENT[choice.key]?.trim();
    if (choice.key !== false && !key) {
      throw new LimbeckError('teacher.key', `the environment has no ${choice.key}, the key of the teacher`, {
        where: 'teacher.key',
        remedy: `Set it before you start (export ${choice.key}=...), name another variable, or set teacher.key to false for an endpoint that wants none.`,
      });
    }
    // Loaded only when a hosted teacher is asked.
    const { default: Client } = await import('openai');
    const client = new Client({
      apiKey: key ?? 'none',
      baseURL: plainAddress(address),
      // Of the environment only the key is sent.
      organization: null,
      project: null,
      defaultHeaders: key === undefined ? { Authorization: null } : {},
      maxRetries: 0,
      timeout: choice.timeout * 1000,
      logLevel: 'off',
      dangerouslyAllowBrowser: true,
      fetch: guardedFetch({ seconds: choice.timeout }),
    });
    return new ChatEndpoint(choice, client, key, onWait);
  }

  /** The names of the models there; undefined where the endpoint does not tell. Free. */
  async models(): Promise<string[] | undefined> {
    try {
      const names: string[] = [];
      const page = await this.#client.models.list();
      for (const { id } of page.data ?? []) names.push(String(id));
      return names.length > 0 ? names : undefined;
    } catch (error) {
      const known = this.#told(error);
      const status = (error as { status?: number }).status;
      // Many servers have no such list.
      if (status !== undefined && status !== 401 && status !== 403) return undefined;
      if (ofLimbeck(error) === undefined && error instanceof TypeError) return undefined;
      throw known;
    }
  }

  /**
   * Asks, and asks again where that may help.
   *
   * @param id the same for the same question: endpoints that know `Idempotency-Key` answer and bill it once
   * @throws LimbeckError `teacher.key`, `teacher.endpoint`, `teacher.rate-limit`, `teacher.quota`, `teacher.request`,
   *   `teacher.reply`, `teacher.redirect`
   */
  ask(question: ChatQuestion, id: string, signal?: AbortSignal): Promise<Reply> {
    const { messages, temperature, maxTokens, alternatives, count, schema } = question;
    const body = {
      model: this.#choice.model,
      messages,
      temperature,
      max_tokens: maxTokens,
      ...(alternatives !== undefined && { logprobs: true, top_logprobs: alternatives }),
      ...(count !== undefined && count > 1 && { n: count }),
      ...(schema && { response_format: { type: 'json_schema', json_schema: { ...schema, strict: true } } }),
      ...this.#choice.parameters,
    };
    const kept = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
    return this.#tried(async () => {
      const start = performance.now();
      const reply = (await this.#client.chat.completions.create(kept as never, {
        headers: { 'Idempotency-Key': id },
      })) as unknown;
      return readReply(reply, this.address, (performance.now() - start) / 1000, messages);
    }, signal);
  }

  /** Vectors of texts, in their order. @throws as `ask` */
  embed(texts: readonly string[], width: number, id: string, signal?: AbortSignal): Promise<Reply> {
    const { model, parameters } = this.#choice;
    const body = { model, input: texts, encoding_format: 'float', ...parameters };
    const kept = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
    return this.#tried(async () => {
      const start = performance.now();
      const reply = (await this.#client.embeddings.create(kept as never, {
        headers: { 'Idempotency-Key': id },
      })) as unknown;
      return readVectors(reply, {
        address: this.address,
        texts,
        width,
        seconds: (performance.now() - start) / 1000,
      });
    }, signal);
  }

  async #tried(send: () => Promise<Reply>, signal?: AbortSignal): Promise<Reply> {
    const { retries, pause } = this.#choice;
    const { default: pRetry } = await import('p-retry');
    let last: unknown;
    let isSending = false;
    // What is on its way is paid, and waited for; what waits for another try is not.
    const waiting = new AbortController();
    const onAbort = () => {
      if (!isSending) waiting.abort(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort);
    try {
      return await pRetry(
        async () => {
          await this.#heldBack(signal);
          isSending = true;
          try {
            return await send();
          } catch (error) {
            last = error;
            // p-retry takes nothing but errors, and no TypeError that is not of the network.
            throw new Error('failed', { cause: error });
          } finally {
            isSending = false;
          }
        },
        {
          retries,
          minTimeout: pause * 1000,
          maxTimeout: 120_000,
          factor: 2,
          randomize: true,
          signal: waiting.signal,
          shouldRetry: () => isPassing(last) && signal?.aborted !== true,
          onFailedAttempt: ({ retriesLeft }) => {
            if (!isPassing(last) || retriesLeft === 0) return;
            const wait = waitOf(last);
            if (wait === undefined) return;
            if (wait > LONGEST_WAIT) throw new Error('too long', { cause: last });
            this.#held = Math.max(this.#held, performance.now() + wait * 1000);
            if (wait >= 5) this.#onWait(`the endpoint asks to wait ${Math.ceil(wait)} s`);
          },
        },
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#told(last ?? error);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #heldBack(signal?: AbortSignal): Promise<void> {
    for (let left = this.#held - performance.now(); left > 0; left = this.#held - performance.now()) {
      signal?.throwIfAborted();
      await new Promise((done) => setTimeout(done, Math.min(left, 500)));
    }
  }

  #told(error: unknown): LimbeckError {
    const { model, key, timeout } = this.#choice;
    return endpointError(error, {
      address: this.address,
      model,
      keyName: key === false ? undefined : key,
      timeout,
      hide: (text) => (this.#key === undefined ? text : text.replaceAll(this.#key, '***')),
    });
  }
}
