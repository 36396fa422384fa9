import type { Engine } from '../../engine/engine.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { LimbeckError } from '../../errors.ts';
import type { RunEvent, StageName } from '../../events.ts';
import { KnowledgeStore } from '../../knowledge/store.ts';
import { workingFolder } from '../../platform/machine.ts';
import { resolve } from '../../platform/paths.ts';
import { resolvePath } from '../../recipe/resolve.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { stringifyRecipe } from '../../recipe/write.ts';
import { RunFolder } from '../folder/run-folder.ts';
import type { RunOptions } from './run-options.ts';
import { StageClock } from './stage-clock.ts';

/** What every stage of a run has at hand. */
export interface RunContext {
  readonly recipe: Recipe;
  readonly options: RunOptions;
  readonly folder: RunFolder;
  readonly engine: Engine;
  readonly store: KnowledgeStore;
  readonly clock: StageClock;
  readonly emit: (event: RunEvent) => void;
  /** Tells a warning, and keeps it for the report. */
  warn(message: string): void;
  /** Throws LimbeckError `run.interrupted` when the person asked the run to stop. */
  checkInterrupted(): void;
  close(): Promise<void>;
}

/** Opens a run's folder, engine and store. */
export async function openRun(recipe: Recipe, options: RunOptions): Promise<RunContext> {
  const folder = new RunFolder(resolve(options.out), stringifyRecipe(recipe), {
    recipeFolder: resolve(options.recipeFolder ?? '.'),
    storeFolder: storeFolder(recipe, options),
  });
  const clock = new StageClock(folder);
  const emit = (event: RunEvent) => {
    clock.tick();
    options.onEvent?.(event);
  };
  try {
    const store = await KnowledgeStore.open(storeFolder(recipe, options));
    for (const message of folder.problems) emit({ type: 'log', level: 'warn', message });
    return {
      recipe,
      options,
      folder,
      engine: options.engine ?? createNodeEngine({ provider: recipe.engine }),
      store,
      clock,
      emit,
      warn(message) {
        folder.addWarning(message);
        emit({ type: 'log', level: 'warn', message });
      },
      checkInterrupted() {
        if (options.signal?.aborted) throw interrupted();
      },
      async close() {
        await store.close();
        folder.close();
      },
    };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** The knowledge store's folder: the person's own choice, or the recipe's, which must not leave the working folder. */
export function storeFolder(recipe: Recipe, options: Pick<RunOptions, 'storeFolder' | 'allowPaths'>): string {
  if (options.storeFolder !== undefined) return resolve(options.storeFolder);
  return resolvePath(
    recipe.store,
    { recipeFolder: workingFolder(), allowPaths: options.allowPaths },
    'store',
  );
}

/** Where prepared data sets are kept, beside the store; also that must not leave the working folder. */
export function dataCacheFolder(
  recipe: Recipe,
  options: Pick<RunOptions, 'storeFolder' | 'allowPaths'>,
): string {
  const folder = resolve(storeFolder(recipe, options), '..', 'data');
  if (options.storeFolder !== undefined) return folder;
  return resolvePath(folder, { recipeFolder: workingFolder(), allowPaths: options.allowPaths }, 'store');
}

export function interrupted(): LimbeckError {
  return new LimbeckError('run.interrupted', 'stopped as asked; everything computed so far is kept', {
    remedy: 'Run the same command again: it goes on from here.',
  });
}

/** Whether an error says that its work was stopped by the signal, whose reason may be anything (a timeout's is its own). */
export function isStop(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false;
  if (error === signal.reason) return true;
  if (error instanceof LimbeckError) return error.code === 'train.interrupted';
  return error instanceof Error && error.name === 'AbortError';
}

/**
 * Runs one stage: tells when it begins and ends, counts its time. A stage may be called again after an interruption;
 * what it had done must be found again in its own files.
 */
export async function runStage<T>(
  run: RunContext,
  stage: StageName,
  title: string,
  body: () => Promise<{ value: T; summary: string }>,
): Promise<T> {
  run.checkInterrupted();
  run.emit({ type: 'stage-start', stage, title });
  run.clock.start(stage);
  try {
    const { value, summary } = await body();
    const seconds = run.clock.stop();
    run.emit({ type: 'stage-end', stage, seconds, summary });
    return value;
  } catch (error) {
    try {
      run.clock.stop();
    } catch {
      // The first error is the one to tell.
    }
    if (isStop(error, run.options.signal)) throw interrupted();
    throw run.folder.lost(error) ?? error;
  }
}
