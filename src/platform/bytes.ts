import { nodeModule } from './node-modules.ts';

// What Node's Buffer does beyond a Uint8Array, for code that runs where there is no Buffer.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Node's own way is faster for short texts. */
const NodeBuffer = (globalThis as { Buffer?: typeof Buffer }).Buffer;

/** A text as UTF-8. */
export function utf8Of(text: string): Uint8Array {
  return NodeBuffer ? NodeBuffer.from(text, 'utf8') : encoder.encode(text);
}

/** UTF-8 as a text; what is not UTF-8 becomes U+FFFD, and a byte order mark stays. */
export function textOf(bytes: Uint8Array): string {
  if (NodeBuffer) return viewOf(bytes, NodeBuffer).toString('utf8');
  return decoder.decode(bytes);
}

/** Each byte as the character of its number: ISO 8859-1. */
export function latin1Of(bytes: Uint8Array): string {
  if (NodeBuffer) return viewOf(bytes, NodeBuffer).toString('latin1');
  let text = '';
  for (let from = 0; from < bytes.length; from += 8192)
    text += String.fromCharCode(...bytes.subarray(from, from + 8192));
  return text;
}

export function hexOf(bytes: Uint8Array): string {
  if (NodeBuffer) return viewOf(bytes, NodeBuffer).toString('hex');
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function base64Of(bytes: Uint8Array): string {
  return NodeBuffer ? viewOf(bytes, NodeBuffer).toString('base64') : btoa(latin1Of(bytes));
}

/** The bytes of a text in base64. Throws for what is not base64 in a browser; Node leaves it out. */
export function fromBase64(text: string): Uint8Array {
  if (NodeBuffer) return NodeBuffer.from(text, 'base64');
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** All parts one after another, in new memory. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (NodeBuffer) return NodeBuffer.concat(parts);
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Negative when `a` comes first, byte by byte; 0 when they are equal. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  if (NodeBuffer) return NodeBuffer.compare(a, b);
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return a.length - b.length;
}

/** Memory that may hold anything, to be written whole: of Node's pool, where a small array of its own costs ten times as much. */
export function unsetBytes(length: number): Uint8Array {
  return NodeBuffer ? NodeBuffer.allocUnsafe(length) : new Uint8Array(length);
}

function viewOf(bytes: Uint8Array, Type: typeof Buffer): Buffer {
  // Most bytes in Node are one already.
  if (bytes instanceof Type) return bytes;
  return Type.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

const nodeBuffer = nodeModule('node:buffer');
const strictDecoder = new TextDecoder('utf-8', { fatal: true });

export const isAscii: (bytes: Uint8Array) => boolean =
  nodeBuffer?.isAscii ?? ((bytes) => bytes.every((byte) => byte < 0x80));

export const isUtf8: (bytes: Uint8Array) => boolean =
  nodeBuffer?.isUtf8 ??
  ((bytes) => {
    try {
      strictDecoder.decode(bytes);
      return true;
    } catch {
      return false;
    }
  });

/** A place in bytes where numbers lie, little-endian, as `Buffer.readUInt32LE` and others have it. */
export function numbersIn({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
