import { sha1 as sha1InJavaScript } from '@noble/hashes/legacy.js';
import { sha256 as sha256InJavaScript } from '@noble/hashes/sha2.js';
import { hexOf, utf8Of } from './bytes.ts';
import { nodeModule } from './node-modules.ts';

/** A hash that is given its content bit by bit. */
export interface Hash {
  /** Texts count as UTF-8. */
  update(content: string | Uint8Array): Hash;
  /** Once, at the end: as bytes or as text. */
  digest(): Uint8Array;
  digest(form: 'hex' | 'base64'): string;
}

const crypto = nodeModule('node:crypto');

/**
 * SHA-256, synchronous everywhere: Node's own, or one in JavaScript (WebCrypto's is asynchronous, and takes its content as a
 * whole).
 *
 * @example
 * createSha256().update('a text').digest('hex');
 */
export const createSha256: () => Hash = crypto ? () => crypto.createHash('sha256') : portableSha256;

/** The SHA-256 of one content: without an object that lives between its parts, in half of the time for a line of text. */
export function sha256Of(content: string | Uint8Array): Uint8Array {
  // Node has it from 20.12 and 21.7 on.
  return crypto?.hash ? crypto.hash('sha256', content, 'buffer') : createSha256().update(content).digest();
}

/** SHA-1, for what others name by it (the blobs of git). */
export const createSha1: () => Hash = crypto
  ? () => crypto.createHash('sha1')
  : () => portable(sha1InJavaScript);

/** The one in JavaScript; as fast as Node's for 64 bytes, some ten times slower for megabytes (65 MB/s). */
export function portableSha256(): Hash {
  return portable(sha256InJavaScript);
}

function portable(algorithm: typeof sha256InJavaScript | typeof sha1InJavaScript): Hash {
  const state = algorithm.create();
  function digest(): Uint8Array;
  function digest(form: 'hex' | 'base64'): string;
  function digest(form?: 'hex' | 'base64'): Uint8Array | string {
    const bytes = state.digest();
    if (form === 'hex') return hexOf(bytes);
    return form === 'base64' ? btoa(String.fromCharCode(...bytes)) : bytes;
  }
  const hash: Hash = {
    update(content) {
      state.update(typeof content === 'string' ? utf8Of(content) : content);
      return hash;
    },
    digest,
  };
  return hash;
}
