import type { ToldStage } from '../../report/told-stage.ts';
import { artifact } from '../context/artifact.ts';
import type { Task } from '../context/task.ts';

/** What every run has before its first stage: what the recipe's task brings, and which stages are told of. */
export const TASK = artifact<Task>('task');
export const TOLD_STAGES = artifact<readonly ToldStage[]>('stages');

export const GIVEN: readonly string[] = [TASK.name, TOLD_STAGES.name];
