import type { PreparedDataset } from './prepared/dataset-manifest.ts';

/** A tokenized, split data set on disk. */
export type TextDataset = PreparedDataset;
