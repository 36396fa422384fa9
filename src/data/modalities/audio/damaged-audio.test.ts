import { expect, it } from 'vitest';
import { bytesReader } from './byte-reader.ts';
import { damageOf } from './damaged-audio.ts';

/** What stands before the frames of an MP3 file of version 1, in stereo: how many frames and bytes there are. */
function xing(frames: number, bytes: number): Uint8Array {
  const file = Buffer.alloc(1000);
  file.set([0xff, 0xfb, 0x90, 0x00]);
  file.write('Xing', 36);
  file.writeUInt32BE(3, 40);
  file.writeUInt32BE(frames, 44);
  file.writeUInt32BE(bytes, 48);
  return file;
}
const tagged = (file: Uint8Array) =>
  Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\x01\x02', 'latin1'), Buffer.alloc(130), file]);

/** Frames of 128 kbit at 44,100 samples a second, without a count before them; the padded ones are a byte longer. */
function frames(count: number): Uint8Array {
  const all = Array.from({ length: count }, (_, i) => {
    const frame = Buffer.alloc(417 + (i % 2));
    frame.set([0xff, 0xfb, 0x90 + 2 * (i % 2), 0x00]);
    return frame;
  });
  return Buffer.concat(all);
}
const ID3V1 = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)]);

it.each([
  ['is whole', xing(100, 1000), 100 * 1152, undefined],
  ['is whole, trimmed at both ends', xing(100, 1000), 100 * 1152 - 2257, undefined],
  ['is whole behind a tag', tagged(xing(100, 1000)), 100 * 1152, undefined],
  [
    'says nothing of its length',
    Buffer.concat([xing(0, 0).subarray(0, 36), Buffer.alloc(500)]),
    1152,
    undefined,
  ],
  ['has half of its bytes', xing(100, 2000), 100 * 1152, /promises 2000 bytes and holds 1000/],
  [
    'has half of its bytes behind a tag',
    tagged(xing(100, 2000)),
    100 * 1152,
    /promises 2000 bytes and holds 1000/,
  ],
  ['has no count, and is whole', frames(300), 1, undefined],
  ['has no count, and a tag behind it', Buffer.concat([frames(300), ID3V1]), 1, undefined],
  ['has no count, and other bytes behind it', Buffer.concat([frames(3), Buffer.alloc(50)]), 1, undefined],
  ['ends in its last frame', frames(300).subarray(0, -100), 1, /its last frame has 318 of 418 bytes/],
  [
    'ends in its last frame, before a tag',
    Buffer.concat([frames(3).subarray(0, -100), ID3V1]),
    1,
    /has 317 of 417 bytes/,
  ],
  ['ends in the head of a frame', frames(3).subarray(0, 417 + 418 + 3), 1, /has 3 of 417 bytes/],
  ['has a hole', xing(100, 1000), 80 * 1152, /promises 2\.61 seconds and holds 2\.09 seconds/],
])('an MP3 file that %s', (_, file, samples, problem) => {
  const found = damageOf(bytesReader(file), 'mp3', { samples, rate: 44_100 });
  if (problem) expect(found).toMatch(problem);
  else expect(found).toBeUndefined();
});
