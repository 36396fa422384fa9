/** The name of a stage: one of `STAGES`, or of those that were registered. */
export type StageName = string;

/**
 * What a run tells while it goes. The library hands these to `onEvent`; the CLI draws them as bars, plain
 * lines or JSON. Times are in seconds since the stage began.
 */
export type RunEvent =
  | { type: 'stage-start'; stage: StageName; title: string }
  | { type: 'stage-end'; stage: StageName; seconds: number; summary: string }
  /** The stage was done by an earlier, interrupted run of the same folder. */
  | { type: 'stage-skip'; stage: StageName; reason: string }
  | {
      type: 'progress';
      stage: StageName;
      /** What is being counted, e.g. `labelling`; a stage may have several tasks, one after another. */
      task: string;
      done: number;
      total: number;
      /** e.g. `texts`, `steps`. */
      unit: string;
      /** A few words beside the bar, e.g. `loss 1.23, validation 57.8 %`. */
      note?: string;
    }
  /** One line of `metrics.jsonl`. */
  | { type: 'metrics'; stage: StageName; values: Record<string, number | string> }
  | { type: 'log'; level: 'info' | 'warn'; message: string };

export type OnEvent = (event: RunEvent) => void;
