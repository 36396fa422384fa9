/** Mean and deviation of each channel, of pixels between 0 and 1. */
export interface ChannelMoments {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Sums over the pixels of many images, in whole numbers: exact, and the same in any order. */
export class MomentSums {
  readonly #sums: number[];
  readonly #squares: number[];
  #pixels = 0;

  constructor(channels: number) {
    this.#sums = new Array<number>(channels).fill(0);
    this.#squares = new Array<number>(channels).fill(0);
  }

  /** @param pixels in the order channel, row, column */
  add(pixels: Uint8Array): void {
    const plane = pixels.length / this.#sums.length;
    this.#sums.forEach((_, channel) => {
      let [sum, squares] = [0, 0];
      for (let i = channel * plane; i < (channel + 1) * plane; i++) {
        const value = pixels[i] as number;
        sum += value;
        squares += value * value;
      }
      (this.#sums[channel] as number) += sum;
      (this.#squares[channel] as number) += squares;
    });
    this.#pixels += plane;
  }

  /** Rounded, so that a person can read it in the student's files. */
  result(): ChannelMoments {
    const round = (value: number) => Math.round(value * 1e4) / 1e4;
    const mean = this.#sums.map((sum) => sum / this.#pixels / 255);
    const deviation = this.#squares.map((squares, channel) =>
      Math.sqrt(Math.max(squares / this.#pixels / 255 ** 2 - (mean[channel] as number) ** 2, 1e-6)),
    );
    return { mean: mean.map(round), deviation: deviation.map(round) };
  }
}
