import { LongTextCounter, type LongTexts } from '../findings/text-lengths.ts';
import type { Encoded } from '../modalities/modality.ts';

/** A fact about some of the samples: how many it is true of, the sum of its numbers, and the first of them. */
export interface FoundFact {
  samples: number;
  total: number;
  first?: string;
}

/** What was met of an input, over all samples. */
export interface InputStatistics {
  /** What lengths are counted in, in the plural: `tokens`; absent where all samples have one shape. */
  unit?: string;
  /** How many samples have length 0, 1, 2 ... the longest, after cutting; empty without a unit. */
  lengths: number[];
  /** Those that were cut. */
  long: LongTexts;
  /** Samples that lack this input. */
  missing: number;
  /** Where the first of them is. */
  firstMissing?: string;
  facts: Record<string, FoundFact>;
}

/** Counts what is told of an input's encoded values. */
export class InputCounts {
  readonly #lengths: number[];
  readonly #long: LongTextCounter;
  readonly #unit: string | undefined;
  readonly #facts: Record<string, FoundFact> = {};
  #missing = 0;
  #firstMissing: string | undefined;

  constructor(axis: { readonly unit: string; readonly buckets: readonly number[] } | undefined) {
    const longest = axis?.buckets.at(-1);
    this.#unit = axis?.unit;
    this.#lengths = new Array<number>(longest === undefined ? 0 : longest + 1).fill(0);
    this.#long = new LongTextCounter(longest ?? 1);
  }

  add(encoded: Encoded | undefined, where: string): void {
    if (!encoded) {
      this.#missing++;
      this.#firstMissing ??= where;
      return;
    }
    const { length, wholeLength, facts = {} } = encoded;
    if (length !== undefined && this.#unit) (this.#lengths[length] as number)++;
    if (wholeLength !== undefined) this.#long.add(wholeLength);
    for (const name in facts) {
      const number = facts[name];
      if (!number) continue;
      this.#facts[name] ??= { samples: 0, total: 0 };
      const fact = this.#facts[name];
      fact.samples++;
      fact.total += number;
      fact.first ??= where;
    }
  }

  found(): InputStatistics {
    return {
      ...(this.#unit && { unit: this.#unit }),
      lengths: this.#lengths,
      long: this.#long.found(),
      missing: this.#missing,
      ...(this.#firstMissing !== undefined && { firstMissing: this.#firstMissing }),
      facts: this.#facts,
    };
  }
}
