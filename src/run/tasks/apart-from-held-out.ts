import { documentsOf } from '../../data/corpus/document-id.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { hashOfKey } from '../../data/splits/hash-of-key.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { sha256Of } from '../../platform/hash.ts';

/** Documents and texts by 53 bits of their hashes: one of others that is taken for one of these is left out, which does no harm. */
export type DocumentHashes = Set<number>;

function hashed(text: string): number {
  return hashOfKey(sha256Of(text), 0);
}

/**
 * Adds the training documents of which a data set of pieces holds something out, for validation or test, and all with the same text.
 *
 * @param documents whole, from the same source
 * @returns how many there are that were not in `apart`
 */
export function addHeldOut(
  apart: DocumentHashes,
  { splits: { train } }: Pick<PreparedDataset, 'splits'>,
  { splits: { validation, test } }: Pick<PreparedDataset, 'splits'>,
): number {
  const ids: DocumentHashes = new Set();
  for (const split of [validation, test])
    for (let ordinal = 0; ordinal < split.size; ordinal++)
      for (const id of documentsOf(split.id(ordinal))) ids.add(hashed(id));
  const before = apart.size;
  for (let ordinal = 0; ordinal < train.size; ordinal++)
    if (ids.has(hashed(train.id(ordinal)))) apart.add(hashed(train.text(ordinal)));
  return apart.size - before;
}

/** The texts of a split but those that are held out elsewhere. */
export function* textsApart(
  split: Pick<TextSplit, 'size' | 'text'>,
  apart: DocumentHashes,
): Generator<string> {
  for (let ordinal = 0; ordinal < split.size; ordinal++) {
    const text = split.text(ordinal);
    if (apart.size === 0 || !apart.has(hashed(text))) yield text;
  }
}
