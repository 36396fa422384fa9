import type { Split } from './split.ts';

/** A split of texts, in buckets by their length in tokens. */
export interface TextSplit extends Split {
  /** The text of a sample, by its position in the split (`Batch.ordinals`). */
  text(ordinal: number): string;
  /** The id that the source gave it. */
  id(ordinal: number): string;
}

/** A split that keeps what is shown of its samples: of texts all of them (`shownTexts`). */
export interface ShownSplit extends Split {
  shown(ordinal: number, input?: number): Uint8Array;
}
