import type { RunEvent } from '../../events.ts';

/** Shows a run's events in one of several ways. */
export interface Progress {
  onEvent(event: RunEvent): void;
  /** Leaves the terminal as it was found; must be called however the run ends. */
  close(): void;
}

/** The clock, in milliseconds, as Date.now. */
export type Clock = () => number;
