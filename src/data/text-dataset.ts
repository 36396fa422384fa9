import type { Dataset } from './dataset.ts';
import type { TokenSplit } from './token-split.ts';

/** A tokenized, split data set on disk. */
export type TextDataset = Dataset<TokenSplit>;
