import { hexOf } from '../../platform/bytes.ts';
import { sha256Of } from '../../platform/hash.ts';
import { SAMPLE_KEY_BYTES } from '../batch.ts';

/** What a document is known by that has no id of its own: its text, as a data set of whole texts knows it. */
export function documentId(text: string): string {
  return hexOf(sha256Of(text).subarray(0, SAMPLE_KEY_BYTES));
}

/** The id of a document's piece. @param number from 1 on */
export function pieceId(document: string, number: number): string {
  return number === 1 ? document : `${document}#${number}`;
}

/** The ids of the documents that a sample may be a piece of: an id of a document may end like that of a piece. */
export function documentsOf(id: string): string[] {
  return [...new Set([id, id.replace(/#\d+$/, '')])];
}
