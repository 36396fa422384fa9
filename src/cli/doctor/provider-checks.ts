import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LimbeckError } from '../../errors.ts';
import type { Check } from './check.ts';

/** Providers that a recipe's `engine` can name; without the first nothing runs. */
export const PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const;
export type ProbedProvider = (typeof PROVIDERS)[number];

const MARKS = { reason: 'probe failed: ', remedy: 'probe remedy: ' };

const PROBE_TIMEOUT_MILLISECONDS = 30_000;

/**
 * Runs a model on a provider, in this process: a provider that loads may still have no device to run on.
 *
 * @returns the engine's title, and how training steps reach it. Throws what the provider throws.
 */
export async function probeProvider(provider: ProbedProvider): Promise<string> {
  const { createNodeEngine } = await import('../../engine/node.ts');
  const { identityModel } = await import('../../engine/identity-model.ts');
  const { nativeOrt } = await import('../../engine/ort-c-api.ts');
  const engine = createNodeEngine({ provider, threads: 1 });
  // As answers are asked for, and as training steps are run.
  for (const largeFetches of [false, true]) {
    const session = await engine.load(identityModel(), { largeFetches });
    const [input, output] = [session.inputNames[0] ?? '', session.outputNames[0] ?? ''];
    const results = await session.run({ [input]: { type: 'float32', dims: [1], data: Float32Array.of(42) } });
    await session.release();
    if (results[output]?.data[0] !== 42) throw new Error(`'${provider}' computes wrong numbers`);
  }
  if (provider !== 'cpu') return engine.title;
  return `${engine.title}; training steps ${nativeOrt() ? 'through its C API' : 'copy what they make, for koffi does not load'}`;
}

/**
 * Probes a provider in a process of its own, since a broken driver can take its process with it.
 *
 * @param arguments_ what starts this program: node's options, then the script
 */
export async function checkProvider(provider: ProbedProvider, arguments_: readonly string[]): Promise<Check> {
  const name = `engine ${provider}`;
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...arguments_, 'doctor', '--probe-provider', provider],
      { timeout: PROBE_TIMEOUT_MILLISECONDS },
    );
    return { name, status: 'ok', found: stdout.trim() };
  } catch (error) {
    const { stderr = '', killed, signal } = error as { stderr?: string; killed?: boolean; signal?: string };
    // Drivers write there as well.
    const told = (mark: string) =>
      stderr
        .split('\n')
        .find((line) => line.startsWith(mark))
        ?.slice(mark.length);
    const remedy = told(MARKS.remedy);
    const death = killed ? 'did not answer in time' : `ended the process with ${signal}`;
    return {
      name,
      // Only the CPU is needed; a machine without a GPU is whole.
      status: provider === 'cpu' ? 'problem' : 'missing',
      found: signal ? death : (told(MARKS.reason) ?? 'does not start'),
      ...(remedy && { remedy }),
    };
  }
}

/** What a failed probe writes to stderr for `checkProvider`: the reason, then the remedy. */
export function probeFailure(error: unknown): string {
  const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
  const remedy = error instanceof LimbeckError ? error.remedy : undefined;
  return `${MARKS.reason}${message}\n${remedy ? `${MARKS.remedy}${remedy}\n` : ''}`;
}
