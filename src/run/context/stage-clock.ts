import type { StageName } from '../../events.ts';

/** How often the seconds of a stage are kept while it goes on. Each time is a small synced file. */
const KEEP_EVERY_SECONDS = 5;

/** Where a stage's seconds are added up. */
export interface SecondsLedger {
  addSeconds(stage: StageName, seconds: number): void;
}

/**
 * Counts the wall seconds of the stage that runs, and keeps them now and then: of a process that is killed only the
 * last few are lost.
 */
export class StageClock {
  readonly #ledger: SecondsLedger;
  /** In milliseconds. */
  readonly #now: () => number;
  #stage: StageName | null = null;
  #started = 0;
  #kept = 0;

  constructor(ledger: SecondsLedger, now: () => number = () => performance.now()) {
    this.#ledger = ledger;
    this.#now = now;
  }

  start(stage: StageName): void {
    this.#stage = stage;
    this.#started = this.#now();
    this.#kept = this.#started;
  }

  /** Called often, at every sign of progress. */
  tick(): void {
    if (this.#stage === null || this.#now() - this.#kept < KEEP_EVERY_SECONDS * 1000) return;
    try {
      this.keep();
    } catch {
      // A full disk shall stop the work where it has to write something that counts. The seconds are not lost.
    }
  }

  /** Adds up the seconds since the last time. */
  keep(): void {
    if (this.#stage === null) return;
    const now = this.#now();
    const seconds = (now - this.#kept) / 1000;
    this.#kept = now;
    this.#ledger.addSeconds(this.#stage, seconds);
  }

  /** Keeps what is left. Returns the stage's seconds in this process. */
  stop(): number {
    const stage = this.#stage;
    if (stage === null) throw new Error('no stage is running');
    try {
      this.keep();
    } finally {
      this.#stage = null;
    }
    return (this.#kept - this.#started) / 1000;
  }
}
