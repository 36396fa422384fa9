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
  ['has a hole', xing(100, 1000), 80 * 1152, /promises 2\.61 seconds and holds 2\.09 seconds/],
])('an MP3 file that %s', (_, file, samples, problem) => {
  const found = damageOf(bytesReader(file), 'mp3', { samples, rate: 44_100 });
  if (problem) expect(found).toMatch(problem);
  else expect(found).toBeUndefined();
});
