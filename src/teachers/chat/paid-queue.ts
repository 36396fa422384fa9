import type { ChatChoice } from './options.ts';

/**
 * Runs tasks that cost money, several at the same time. After the first that fails, or when the signal says so, no new one
 * begins; those on their way are waited for, for they are paid.
 *
 * @throws the first error, or the signal's reason
 */
export async function inPaidQueue(
  { concurrency, requestsPerMinute }: Pick<ChatChoice, 'concurrency' | 'requestsPerMinute'>,
  tasks: Iterable<() => Promise<void>>,
  signal?: AbortSignal,
): Promise<void> {
  const { default: PQueue } = await import('p-queue');
  const queue = new PQueue({
    concurrency,
    ...(requestsPerMinute !== undefined && { interval: 60_000, intervalCap: requestsPerMinute }),
  });
  let failure: { readonly error: unknown } | undefined;
  const stop = (error: unknown) => {
    failure ??= { error };
    queue.clear();
  };
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  try {
    for (const task of tasks) {
      if (failure || signal?.aborted) break;
      void queue.add(task).catch(stop);
      await queue.onSizeLessThan(concurrency);
    }
  } catch (error) {
    stop(error);
  } finally {
    await queue.onIdle();
    signal?.removeEventListener('abort', onAbort);
  }
  signal?.throwIfAborted();
  if (failure) throw (failure as { readonly error: unknown }).error;
}
