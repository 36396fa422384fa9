import { LimbeckError } from '../../errors.ts';
import { nodeModule } from '../../platform/node-modules.ts';
import { type GatedRuntime, gatedRuntimes } from '../../recipe/gate.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { StartedRuntime } from '../../runtimes/start-runtime.ts';

/** A runtime that a recipe bounds, and that is there. */
export interface ReadyRuntime extends GatedRuntime {
  readonly started: StartedRuntime;
}

/** A runtime that has not run a smallest model by then is not there, in seconds. */
const MOST_SECONDS = 60;

/**
 * Starts every runtime that a recipe bounds (`export.gate`) with a smallest model: what is going to be measured at the end is
 * known to be there before anything is trained.
 *
 * @throws LimbeckError `measure.no-runtime` where one is missing, and where a time is bounded that would be that of another
 *   device; `measure.threads` for more threads than there are
 */
export async function requireRuntimes(
  recipe: Pick<Recipe, 'export'>,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<ReadyRuntime[]> {
  const gated = gatedRuntimes(recipe);
  if (gated.length === 0) return [];
  if (!nodeModule('node:child_process')) {
    throw new LimbeckError('measure.no-runtime', 'a page starts no other runtimes', {
      where: 'export.gate',
      remedy: 'Leave the key out here, and measure what the page made with `limbeck measure`.',
    });
  }
  // Loaded where it is used: pages do not pay for it.
  const { startRuntime } = await import('../../runtimes/start-runtime.ts');
  const { requireThreads } = await import('../../runtimes/require-threads.ts');
  const ready: ReadyRuntime[] = [];
  for (const runtime of gated) {
    const { on, threads } = runtime;
    const where = `export.gate.${on}`;
    requireThreads(threads, `${where}.threads`);
    const started = await startRuntime(on, threads, { mostSeconds: MOST_SECONDS, signal }).catch((cause) => {
      throw refused(where, cause);
    });
    requireOwnTimes(runtime, started);
    ready.push({ ...runtime, started });
  }
  return ready;
}

/** Times of a graphics card are not to be had of a processor that stands in for one. */
export function requireOwnTimes({ on, bounds }: GatedRuntime, { isSoftware, title }: StartedRuntime): void {
  const timed = (['p50', 'p90'] as const).filter((kind) => bounds[kind] !== undefined);
  if (!isSoftware || timed.length === 0) return;
  throw new LimbeckError('measure.no-runtime', `there is no graphics card here: ${title}`, {
    where: timed.map((kind) => `export.gate.${on}.${kind}`).join(', '),
    remedy:
      'Run it on a machine with a graphics card, or bound bytes and metric alone: those hold on the processor, too.',
  });
}

/** A runtime that does not start, told at the key that asks for it. */
function refused(where: string, cause: unknown): unknown {
  if (!(cause instanceof LimbeckError)) return cause;
  const remedy = `${cause.remedy ?? ''} Or leave out ${where}.`.trim();
  return new LimbeckError(cause.code, cause.message, { where, remedy, cause });
}
