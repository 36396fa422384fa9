import { crc32 } from '../crc32.ts';
import { SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { joinBytes, numbersIn, textOf, utf8Of } from '../platform/bytes.ts';
import { existsSync, mkdirSync } from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import { replaceFile } from '../replace-file.ts';
import type { Reply } from '../teachers/chat/reply.ts';
import type { KeyValueFile } from './key-value-file.ts';
import { openKeyValueFile } from './open-key-value-file.ts';

/** What hosted teachers were paid for, beside the labels that were made of it. */
const FOLDER = 'paid';
const CHECKSUM_BYTES = 4;
const MOST_REPLIES = 255;
const CHUNK = 1000;

/** What so many requests came to. */
export interface Spent {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Wall time of all requests, one after another. */
  readonly seconds: number;
  /** Whether the endpoint did not always say how many tokens it counted. */
  readonly estimated: boolean;
}

export interface PaidReply {
  readonly key: Uint8Array;
  readonly reply: Reply;
}

/**
 * All replies of a hosted model to one question, each kept on the disk before anything is made of it: so that nothing is paid
 * twice, whatever ends a run, and answers can be read in another way later. Neither the samples nor the key are in it.
 *
 * A folder of the knowledge store; `limbeck store prune` leaves it alone.
 */
export class PaidAnswers {
  readonly #file: KeyValueFile;
  #spent: Spent;

  private constructor(file: KeyValueFile) {
    this.#file = file;
    this.#spent = NOTHING;
    let after: Uint8Array | undefined;
    for (;;) {
      const entries = file.entries(after, CHUNK);
      for (const { record } of entries) {
        const reply = decoded<Reply>(record);
        if (reply) this.#spent = added(this.#spent, reply);
      }
      if (entries.length < CHUNK) break;
      after = entries.at(-1)?.key;
    }
  }

  /** @param about for people, in `about.json`: who was asked */
  static open(storeFolder: string, id: string, about: Readonly<Record<string, unknown>>): PaidAnswers {
    const folder = join(storeFolder, FOLDER, id);
    mkdirSync(folder, { recursive: true });
    replaceFile(join(folder, 'about.json'), `${JSON.stringify(about, null, 2)}\n`, 'store');
    return new PaidAnswers(openKeyValueFile(folder, 'write'));
  }

  /** The same to look at; undefined where nothing was paid yet. */
  static look(storeFolder: string, id: string): PaidAnswers | undefined {
    const folder = join(storeFolder, FOLDER, id);
    return existsSync(join(folder, 'data.mdb'))
      ? new PaidAnswers(openKeyValueFile(folder, 'read'))
      : undefined;
  }

  get spent(): Spent {
    return this.#spent;
  }

  /** The replies to a sample, in the order in which they came. A damaged one is none. */
  replies(key: Uint8Array): Reply[] {
    const found: Reply[] = [];
    for (let place = 0; place < MOST_REPLIES; place++) {
      const record = this.#file.get(placed(key, place));
      if (!record) break;
      const reply = decoded<Reply>(record);
      if (reply) found.push(reply);
    }
    return found;
  }

  /** Keeps replies; when it returns, they are on the disk. @throws LimbeckError `store.disk-full`, `store.failed` */
  add(replies: readonly PaidReply[]): void {
    const keys = replies.map(({ key }) => {
      let place = 0;
      while (place < MOST_REPLIES && this.#file.has(placed(key, place))) place++;
      return placed(key, place);
    });
    this.#file.put(
      keys,
      replies.map(({ reply }) => encoded(reply)),
    );
    for (const { reply } of replies) this.#spent = added(this.#spent, reply);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const NOTHING: Spent = { requests: 0, inputTokens: 0, outputTokens: 0, seconds: 0, estimated: false };

function added(spent: Spent, { usage, seconds }: Reply): Spent {
  return {
    requests: spent.requests + (usage.input > 0 ? 1 : 0),
    inputTokens: spent.inputTokens + usage.input,
    outputTokens: spent.outputTokens + usage.output,
    seconds: spent.seconds + seconds,
    estimated: spent.estimated || usage.estimated === true,
  };
}

/** What several questions came to together. */
export function spentOnAll(parts: readonly Spent[]): Spent {
  return parts.reduce(
    (sum, part) => ({
      requests: sum.requests + part.requests,
      inputTokens: sum.inputTokens + part.inputTokens,
      outputTokens: sum.outputTokens + part.outputTokens,
      seconds: sum.seconds + part.seconds,
      estimated: sum.estimated || part.estimated,
    }),
    NOTHING,
  );
}

function placed(key: Uint8Array, place: number): Uint8Array {
  if (key.length !== SAMPLE_KEY_BYTES) throw new Error(`a key of ${key.length} bytes`);
  return joinBytes([key, Uint8Array.of(place)]);
}

function encoded(value: object): Uint8Array {
  const content = utf8Of(JSON.stringify(value));
  const record = joinBytes([new Uint8Array(CHECKSUM_BYTES), content]);
  numbersIn(record).setUint32(0, crc32(content), true);
  return record;
}

/** undefined for a record that is damaged. */
function decoded<T>(record: Uint8Array): T | undefined {
  const content = record.subarray(CHECKSUM_BYTES);
  if (record.length < CHECKSUM_BYTES || numbersIn(record).getUint32(0, true) !== crc32(content))
    return undefined;
  try {
    return JSON.parse(textOf(content)) as T;
  } catch {
    return undefined;
  }
}
