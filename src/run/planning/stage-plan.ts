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

/** What a teacher that is asked somewhere else takes for the answers that are not there yet. */
export interface HostedPrice {
  /** Who gets to read the samples. */
  readonly host: string;
  readonly model: string;
  /** Samples that are sent: to check the teacher, to train on, to validate and to test. */
  readonly samples: {
    readonly check: number;
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  };
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** undefined where the recipe gives no prices. */
  readonly money: number | undefined;
  readonly currency: string;
  /** Spent already, by all runs. */
  readonly spentTokens: number;
  readonly spentMoney: number | undefined;
  readonly budget: { readonly tokens?: number | undefined; readonly money?: number | undefined } | undefined;
  /** What the numbers rest on. */
  readonly notes: readonly string[];
}

/** What a run is going to cost, before it starts. */
export interface Plan {
  stages: StagePlan[];
  /** What of the teacher's knowledge is already in the store. */
  store: { present: number; missing: number; bytes: number };
  /** Of a teacher behind an API. */
  price?: HostedPrice;
  /** What the estimate rests on: `3 batches of 64 texts on 2 cores`. */
  measuredOn: string;
}
