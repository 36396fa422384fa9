import { randomStream } from '../../random.ts';
import { SHOWN_SAMPLES, type ShownSample } from './section.ts';

/** A few samples out of any number, each with the same chance (Vitter's reservoir), made only when they are drawn. */
export class DrawnSamples {
  readonly #random: ReturnType<typeof randomStream>;
  readonly #drawn: ShownSample[] = [];
  readonly #most: number;
  #offered = 0;

  constructor(seed: number, examples: boolean) {
    this.#random = randomStream(seed, 'samples of a report');
    this.#most = examples ? SHOWN_SAMPLES : 0;
  }

  offer(make: () => ShownSample): void {
    const place = this.#offered < this.#most ? this.#offered : this.#random.integer(this.#offered + 1);
    this.#offered++;
    if (place < this.#most) this.#drawn[place] = make();
  }

  get samples(): ShownSample[] {
    return [...this.#drawn];
  }
}
