import type { Engine } from '../../engine/engine.ts';
import type { StageName } from '../../events.ts';
import type { KnowledgeStore } from '../../knowledge/store.ts';
import { mkdtemp, rm } from '../../platform/async-files.ts';
import { temporaryFolder } from '../../platform/machine.ts';
import { join } from '../../platform/paths.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { requireWritableFolder } from '../../writable-folder.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { TaskData } from '../context/task.ts';
import type { MemoryPeak } from './memory-peak.ts';

/** What every measurement of a plan has at hand. */
export interface PlanningContext {
  readonly recipe: Recipe;
  readonly options: RunOptions;
  readonly engine: Engine;
  /** Only looked at. */
  readonly store: KnowledgeStore;
  readonly data: TaskData;
  /** Whether the recipe has a teacher; false where a training without one is measured. */
  readonly taught: boolean;
  /** undefined for a recipe that trains without a teacher, and for a teacher that is asked somewhere else. */
  readonly source: TeacherSource | undefined;
  /** A folder for files that are only written to be measured; it is removed at the end. */
  readonly scratch: string;
  readonly memory: MemoryPeak;
  /** Tells when a measurement begins and ends, as a run tells of its stages. */
  told<T>(stage: StageName, title: string, body: () => Promise<T>): Promise<T>;
  /** Throws LimbeckError `run.interrupted` when the person asked to stop. */
  checkInterrupted(): void;
}

/** Runs `body` with an empty folder, and removes the folder however it ends. */
export async function withScratchFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  requireWritableFolder(
    temporaryFolder(),
    'run.write',
    'Set TMPDIR (TEMP on Windows) to a folder that is there and can be written to.',
  );
  const folder = await mkdtemp(join(temporaryFolder(), 'limbeck-plan-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
