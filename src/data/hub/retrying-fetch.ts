export interface RetryOptions {
  fetch?: typeof globalThis.fetch;
  /** How often a request is tried in all. */
  attempts?: number;
  /** The wait before the second attempt, doubled each time, in milliseconds. */
  backoff?: number;
}

/** However long a server asks to wait, not longer than this before the person hears of it (milliseconds). */
const LONGEST_WAIT = 120_000;

/**
 * A `fetch` that tries again when the connection fails, and on 429 and 5xx after the time that `Retry-After` names
 * (RFC 9110, 10.2.3) or a doubling wait. The last answer, good or bad, is returned; the last failure is thrown.
 */
export function retryingFetch({
  fetch = globalThis.fetch,
  attempts = 5,
  backoff = 500,
}: RetryOptions = {}): typeof globalThis.fetch {
  return async (input, init) => {
    const signal = init?.signal ?? undefined;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      let wait = backoff * 2 ** (attempt - 1);
      try {
        const response = await fetch(input, init);
        if (attempt === attempts || !(response.status === 429 || response.status >= 500)) return response;
        wait = retryAfter(response) ?? wait;
        if (wait > LONGEST_WAIT) return response;
        await response.body?.cancel();
      } catch (error) {
        if (attempt === attempts || signal?.aborted) throw error;
      }
      await sleep(wait, signal);
    }
  };
}

/** Waits; throws the signal's reason when it is aborted meanwhile. */
function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** In milliseconds; the header holds seconds or a date. */
function retryAfter(response: Response): number | undefined {
  const header = response.headers.get('retry-after');
  if (header === null) return undefined;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
