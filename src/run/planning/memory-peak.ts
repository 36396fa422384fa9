import { residentBytes } from '../../platform/machine.ts';
/** The most memory that this process was seen to hold since the last look back, in bytes (resident set size). */
export class MemoryPeak {
  #peak = 0;

  /** Looks now; returns what is held at this moment. */
  observe(): number {
    const held = residentBytes();
    this.#peak = Math.max(this.#peak, held);
    return held;
  }

  /** The peak since the last `take`. */
  take(): number {
    this.observe();
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }
}
