import type { RunEvent, StageName } from '../../events.ts';
import { EMPTY_METER, observe, type RateMeter } from './rate.ts';

export type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;

/** Where the current task of a stage is. */
export interface Task extends Omit<ProgressEvent, 'type'> {
  readonly stage: StageName;
  readonly meter: RateMeter;
}

/** The task after another progress event; a new task of the stage starts a new rate. `now` in seconds. */
export function advance(task: Task | undefined, event: ProgressEvent, now: number): Task {
  const { type: _type, ...state } = event;
  const meter = task?.task === event.task ? task.meter : EMPTY_METER;
  return { ...state, meter: observe(meter, event.done, now) };
}
