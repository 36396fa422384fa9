import { firstLine } from '../engine/ort-errors.ts';
import { LimbeckError } from '../errors.ts';
import type { RuntimeName } from './measurement.ts';

/** What a runtime says of a model that it does not take, for a person. */
export function runtimeProblem(runtime: RuntimeName, message: string): LimbeckError {
  return new LimbeckError('measure.model', `the model does not run: ${firstLine(message)}`, {
    where: `on ${runtime}`,
    remedy:
      runtime === 'node'
        ? 'See `limbeck inspect` for its operators, types and sizes; give sizes that it leaves open with --size NAME=N.'
        : 'Its operators or types may be ones that onnxruntime-web lacks; try --on node to see whether the model itself is at fault.',
  });
}

/**
 * Waits for a runtime, and no longer than it may take.
 *
 * @throws LimbeckError `measure.too-long`; the signal's reason
 */
export async function requireAnswer<T>(
  runtime: RuntimeName,
  work: Promise<T>,
  mostSeconds: number,
  signal?: AbortSignal,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new LimbeckError('measure.too-long', `it did not answer within ${mostSeconds} seconds`, {
          where: `on ${runtime}`,
          remedy: 'Allow it more with --limit SECONDS, or measure a smaller model.',
        }),
      );
    }, 1000 * mostSeconds);
    stop = () => reject(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    clearTimeout(timer);
    if (stop) signal?.removeEventListener('abort', stop);
    // Whatever it says later is told to nobody.
    work.catch(() => {});
  }
}
