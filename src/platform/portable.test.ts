import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { VERSION } from '../version.ts';
import * as node from './bytes.ts';
import { createSha256, portableSha256 } from './hash.ts';

// The same modules as a browser would load them: without Node's.
let portable: typeof import('./bytes.ts');
let compression: typeof import('./compression.ts');
beforeAll(async () => {
  vi.resetModules();
  vi.stubGlobal('Buffer', undefined);
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
  portable = await import('./bytes.ts');
  compression = await import('./compression.ts');
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});
afterAll(() => {
  vi.resetModules();
});

const TEXTS = ['', 'plain', 'žluťoučký kůň 🐎', '\ufeffmark', 'a\ud800b'];

it('turns texts into bytes and back as Node does', () => {
  for (const text of TEXTS) {
    expect([...portable.utf8Of(text)]).toEqual([...node.utf8Of(text)]);
    const bytes = node.utf8Of(text);
    expect(portable.textOf(bytes)).toBe(node.textOf(bytes));
    expect(portable.isUtf8(bytes)).toBe(true);
    expect(portable.isAscii(bytes)).toBe(node.isAscii(bytes));
  }
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 31) % 256);
  expect(portable.latin1Of(bytes)).toBe(node.latin1Of(bytes));
  expect(portable.hexOf(bytes)).toBe(node.hexOf(bytes));
  expect(portable.base64Of(bytes)).toBe(node.base64Of(bytes));
  expect(portable.textOf(bytes)).toBe(node.textOf(bytes));
  expect([...portable.fromBase64(node.base64Of(bytes))]).toEqual([...bytes]);
  expect(portable.isUtf8(bytes)).toBe(node.isUtf8(bytes));
  expect([
    ...portable.joinBytes([bytes.subarray(3, 5), bytes.subarray(0, 0), bytes.subarray(9, 10)]),
  ]).toEqual([bytes[3], bytes[4], bytes[9]]);
});

it('compares bytes as Node does', () => {
  const lists = [[], [0], [1], [1, 0], [1, 255], [2]].map((list) => Uint8Array.from(list));
  for (const a of lists)
    for (const b of lists)
      expect(Math.sign(portable.compareBytes(a, b))).toBe(Math.sign(node.compareBytes(a, b)));
});

it('hashes as Node does', () => {
  for (const length of [0, 1, 63, 64, 65, 100_000]) {
    const content = randomBytes(length);
    const expected = createHash('sha256').update(content).update('é').digest('hex');
    expect(createSha256().update(content).update('é').digest('hex')).toBe(expected);
    expect(portableSha256().update(content).update('é').digest('hex')).toBe(expected);
  }
  expect(portableSha256().update('x').digest('base64')).toBe(createSha256().update('x').digest('base64'));
  expect([...portableSha256().update('x').digest()]).toEqual([...createSha256().update('x').digest()]);
});

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

it('unpacks gzip, and refuses what is damaged or cut', async () => {
  const content = randomBytes(50_000);
  const packed = gzipSync(content);
  const unpack = async (bytes: Uint8Array) => {
    const parts: Uint8Array[] = [];
    for await (const part of compression.gunzip(inPieces(bytes, 7000))) parts.push(part);
    return Buffer.concat(parts);
  };
  expect((await unpack(packed)).equals(content)).toBe(true);
  await expect(unpack(Buffer.from('this is no gzip, and never was'))).rejects.toThrow();
  const damaged = Buffer.from(packed);
  damaged[20_000] = (damaged[20_000] as number) ^ 255;
  await expect(unpack(damaged)).rejects.toThrow();
});

it('has the version of package.json', () => {
  expect(VERSION).toBe(packageJson.version);
});
