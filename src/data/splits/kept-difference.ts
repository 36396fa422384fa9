/** The splits of a data set that are kept, in their order. */
export const KEPT_NAMES = ['train', 'validation', 'test'] as const;
export type KeptName = (typeof KEPT_NAMES)[number];

/** How data differ from those of which splits were kept. */
export interface KeptDifference {
  /** Samples of each kept split that are no longer there. */
  missing: Record<KeptName, number>;
  /** Samples of each kept split that have another label now. */
  relabelled: Record<KeptName, number>;
  /** Samples that are in no kept split. */
  added: number;
}
