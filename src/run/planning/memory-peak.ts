import { residentBytes } from '../../platform/machine.ts';
/** The most memory that this process was seen to hold, or is expected to, since the last look back, in bytes (resident set size). */
export class MemoryPeak {
  #peak = 0;

  /** Looks now; returns what is held at this moment. */
  observe(): number {
    const held = residentBytes();
    this.#peak = Math.max(this.#peak, held);
    return held;
  }

  /** Counts what is held at this moment and `bytes` besides, which were not taken: of what was measured in part. */
  expect(bytes: number): void {
    this.#peak = Math.max(this.#peak, this.observe() + bytes);
  }

  /** The peak since the last `take`. */
  take(): number {
    this.observe();
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }
}
