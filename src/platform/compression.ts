import { nodeModule } from './node-modules.ts';

const zlib = nodeModule('node:zlib');
const stream = nodeModule('node:stream');

/** Unpacks gzip bit by bit. Throws while it is read for what is not gzip, is damaged, or ends too early. */
export function gunzip(packed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (!zlib || !stream) return unpacked(packed);
  const unpacking = zlib.createGunzip();
  // A failure of what is packed ends the reading of what is unpacked from it; it is told to whoever reads.
  stream.pipeline(stream.Readable.from(packed), unpacking, () => {});
  return unpacking;
}

async function* unpacked(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  const written = (async () => {
    for await (const piece of packed) await writer.write(piece as Uint8Array<ArrayBuffer>);
    await writer.close();
  })();
  // Whoever reads is told first; this only keeps it from being told to nobody.
  written.catch(() => {});
  const reader = readable.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    yield value;
  }
  await written;
}
