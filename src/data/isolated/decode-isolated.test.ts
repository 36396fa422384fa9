import { describe, expect, it } from 'vitest';
import { decodeIsolated } from './decode-isolated.ts';
import { limitsFor } from './limits.ts';

const LIMITS = { memoryBytes: 400e6, seconds: 20 };

function decoding(behaviour: string, options: { limits?: typeof LIMITS; signal?: AbortSignal } = {}) {
  const decoder = new URL('./testing/any-decoder.ts', import.meta.url);
  return decodeIsolated({ decoder, input: behaviour, limits: LIMITS, file: 'a.bin', ...options });
}

async function collect(pieces: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

describe('a decoder in a process of its own', () => {
  it('gives its pieces in order, whatever structured clone takes', async () => {
    const pieces = await collect(decoding('many'));
    expect(pieces).toHaveLength(51);
    expect(pieces.at(-1)).toEqual({ number: 49n, bytes: new Uint8Array(1e5).fill(49) });
  });

  it.each([
    ['memory', /needs more than 400 MB of memory/, {}],
    ['heap', /needs more than 400 MB of memory|ended the process/, {}],
    ['loop', /took longer than 1 seconds/, { limits: { ...LIMITS, seconds: 1 } }],
    ['abort', /ended the process that did it \(SIGABRT\)/, {}],
    ['exit', /ended the process that did it \(exit code 3\)/, {}],
    ['throw', /page 3 is empty/, {}],
  ])('that does this is a typed error with the name of the file: %s', async (behaviour, message, options) => {
    await expect(collect(decoding(behaviour, options))).rejects.toMatchObject({
      code: 'data.unreadable',
      message: expect.stringMatching(message),
      where: 'a.bin',
    });
    // And the next file is decoded as ever.
    expect(await collect(decoding('nothing'))).toEqual(['nothing']);
  });

  it('may take longer to begin than a file may take', async () => {
    const decoder = new URL('./testing/slow-to-begin.ts', import.meta.url);
    const limits = { ...LIMITS, seconds: 1 };
    expect(await collect(decodeIsolated({ decoder, input: '', limits, file: 'a.bin' }))).toEqual(['heard']);
  });

  it('tells its own typed errors as they are', async () => {
    await expect(collect(decoding('typed'))).rejects.toMatchObject({
      code: 'data.missing-column',
      message: 'no text',
      where: 'a',
      remedy: 'b',
    });
  });

  it('stops at once when it is asked to, however busy it is', async () => {
    const stop = new AbortController();
    const started = performance.now();
    const pieces = collect(decoding('loop', { signal: stop.signal }));
    setTimeout(() => stop.abort(), 300);
    await expect(pieces).rejects.toMatchObject({ name: 'AbortError' });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('is not waited for by a caller that stops listening', async () => {
    for await (const piece of decoding('loop')) {
      expect(piece).toBe('loop');
      break;
    }
    expect(await collect(decoding('nothing'))).toEqual(['nothing']);
  });
});

it('allows little for small files, and more for large ones', () => {
  expect(limitsFor(3000).memoryBytes).toBeLessThan(1e9);
  expect(limitsFor(100e6).memoryBytes).toBeGreaterThan(limitsFor(10e6).memoryBytes);
  expect(limitsFor(1e9).seconds).toBeGreaterThan(100);
});
