import type { StageName } from '../../events.ts';

/** What one stage is going to cost. */
export interface StagePlan {
  stage: StageName;
  /** Wall time as it is expected: half-way between the fewest and all epochs where early stopping may cut them short. */
  seconds: number;
  /** Wall time when no training stops early. */
  secondsAtMost: number;
  /** Resident set of the process. */
  memoryBytes: number;
  /** What the stage leaves on the disk. */
  diskBytes: number;
  note: string;
}

/** What a run is going to cost, before it starts. */
export interface Plan {
  stages: StagePlan[];
  /** What of the teacher's knowledge is already in the store. */
  store: { present: number; missing: number; bytes: number };
  /** What the estimate rests on: `3 batches of 64 texts on 2 cores`. */
  measuredOn: string;
}
