/** The most memory that this process was seen to hold since the last look back, in bytes (resident set size). */
export class MemoryPeak {
  #peak = 0;

  observe(): void {
    this.#peak = Math.max(this.#peak, process.memoryUsage.rss());
  }

  /** The peak since the last `take`. */
  take(): number {
    this.observe();
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }
}
