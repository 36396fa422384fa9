import type { AudioFormat } from './formats.ts';
import { inWords } from './seconds-in-words.ts';
import type { ByteReader } from './wav.ts';

/** What a decoder made of a file. */
export interface DecodedLength {
  readonly samples: number;
  /** Samples a second; 0 where there are none. */
  readonly rate: number;
}

/** Bytes of an ID3v1 tag, which some programs write behind any kind of audio. */
const TAG_BYTES = 128;

/** Where the audio of a file ends: before its ID3v1 tag, which the decoder of FLAC takes for a part of the last frame. */
export function audioEnd(file: ByteReader): number {
  const start = file.size - TAG_BYTES;
  return start > 0 && nameAt(file.read(start, 3), 0, 3) === 'TAG' ? start : file.size;
}

/**
 * How a compressed file tells that a part of it is missing, as a sentence; undefined where it does not. Decoders go on behind what they cannot
 * read, so that a file which was cut off, or has a hole, comes out as a shorter one.
 */
export function damageOf(
  file: ByteReader,
  format: Exclude<AudioFormat, 'wav'>,
  decoded: DecodedLength,
): string | undefined {
  if (format === 'flac') return flacDamage(file, decoded);
  return format === 'mp3' ? mp3Damage(file, decoded) : oggDamage(file);
}

/** STREAMINFO, the first block of a FLAC file, has the number of its samples (RFC 9639, section 8.2); 0 where nobody knew it. */
function flacDamage(file: ByteReader, { samples }: DecodedLength): string | undefined {
  const head = file.read(0, 26);
  if (head.length < 26) return 'the file is cut off in its header';
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const promised = (view.getUint8(21) & 15) * 2 ** 32 + view.getUint32(22);
  const rate = view.getUint32(18) >>> 12;
  return promised > samples ? shorter(promised / rate, samples / rate) : undefined;
}

/** Frames that an encoder's delay and padding may take of what its header counts. */
const TRIMMED_FRAMES = 8;

/** The frame that encoders of MP3 put before the others (Xing or Info) has the number of frames and of bytes. */
function mp3Damage(file: ByteReader, { samples, rate }: DecodedLength): string | undefined {
  const start = afterId3(file);
  const frame = file.read(start, 200);
  if (frame.length < 60 || frame[0] !== 0xff) return undefined;
  const isVersion1 = ((frame[1] as number) & 8) !== 0;
  const isMono = (frame[3] as number) >> 6 === 3;
  const at = 4 + (isVersion1 ? (isMono ? 17 : 32) : isMono ? 9 : 17);
  const name = nameAt(frame, at, 4);
  if (name !== 'Xing' && name !== 'Info') return lastFrameDamage(file, start);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const flags = view.getUint32(at + 4);
  const frames = flags & 1 ? view.getUint32(at + 8) : 0;
  const bytes = flags & 2 ? view.getUint32(at + 8 + (flags & 1 ? 4 : 0)) : 0;
  if (bytes > file.size - start)
    return `the file is cut off: it promises ${bytes} bytes and holds ${file.size - start}`;
  const perFrame = isVersion1 ? 1152 : 576;
  const isShort = rate > 0 && (frames - TRIMMED_FRAMES) * perFrame > samples;
  return isShort ? shorter((frames * perFrame) / rate, samples / rate) : undefined;
}

/** Kilobits a second of layer III by their index, of MPEG 1 and of the lower rates (ISO/IEC 11172-3 and 13818-3, 2.4.2.3). */
const BITRATES = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
] as const;
const RATES = [44_100, 48_000, 32_000] as const;
/** Bytes that are read at once. */
const BLOCK_BYTES = 65_536;

/** Without a count of frames, all that tells of a cut is a last frame that goes beyond the end; behind anything else than a frame nothing does. */
function lastFrameDamage(file: ByteReader, start: number): string | undefined {
  const end = audioEnd(file);
  let block: Uint8Array = new Uint8Array(0);
  let from = start;
  for (let at = start; at < end; ) {
    if (at + 4 > from + block.length) {
      block = file.read(at, BLOCK_BYTES);
      from = at;
    }
    const bytes = frameBytes(block.subarray(at - from, at - from + 4));
    if (bytes === undefined) return undefined;
    if (at + bytes > end) return `the file is cut off: its last frame has ${end - at} of ${bytes} bytes`;
    at += bytes;
  }
  return undefined;
}

/** The bytes of a frame of layer III, as its header says; undefined for other bytes, and for a free bit rate. */
function frameBytes([sync = 0, kind = 0, sizes = 0]: Uint8Array): number | undefined {
  const version = (kind >> 3) & 3;
  if (sync !== 0xff || (kind & 0xe6) !== 0xe2 || version === 1) return undefined;
  const isVersion1 = version === 3;
  const bits = 1000 * (BITRATES[isVersion1 ? 0 : 1][sizes >> 4] ?? 0);
  const rate = (RATES[(sizes >> 2) & 3] ?? 0) / (isVersion1 ? 1 : version === 2 ? 2 : 4);
  if (bits === 0 || rate === 0) return undefined;
  return Math.floor(((isVersion1 ? 144 : 72) * bits) / rate) + ((sizes >> 1) & 1);
}

/** Where an ID3v2 tag ends. */
function afterId3(file: ByteReader): number {
  const head = file.read(0, 10);
  if (head.length < 10 || nameAt(head, 0, 3) !== 'ID3') return 0;
  return [6, 7, 8, 9].reduce((size, at) => size * 128 + ((head[at] as number) & 127), 0) + 10;
}

const PAGE_HEAD = 27;

/** Pages of Ogg are numbered and have checksums (RFC 3533, section 6). */
function oggDamage(file: ByteReader): string | undefined {
  const end = audioEnd(file);
  /** Of each stream the number of its last page. */
  const numbers = new Map<number, number>();
  for (let at = 0; at < end; ) {
    const head = file.read(at, PAGE_HEAD + 255);
    if (nameAt(head, 0, 4) !== 'OggS') return `the file is damaged: no page begins at byte ${at}`;
    const segments = head.subarray(PAGE_HEAD, PAGE_HEAD + (head[26] ?? 0));
    const size = PAGE_HEAD + segments.length + segments.reduce((sum, bytes) => sum + bytes, 0);
    if (head.length < PAGE_HEAD || at + size > end) return `the file is cut off in the page at byte ${at}`;
    // A copy: the checksum is counted with zeros in its own place.
    const page = Uint8Array.from(file.read(at, size));
    const view = new DataView(page.buffer);
    const [stream, number, promised] = [14, 18, 22].map((place) => view.getUint32(place, true)) as [
      number,
      number,
      number,
    ];
    view.setUint32(22, 0);
    if (oggChecksum(page) !== promised)
      return `the file is damaged: the page at byte ${at} has another checksum`;
    const before = numbers.get(stream);
    // Bit 2 of the kind: a stream begins, which may follow another one in the same file.
    const begins = ((page[5] as number) & 2) !== 0;
    if (before !== undefined && number !== before + 1 && !begins)
      return `the file is damaged: pages are missing at byte ${at}`;
    numbers.set(stream, number);
    at += size;
  }
  return undefined;
}

let table: Uint32Array | undefined;

/** The polynomial of CRC-32 without reflection, beginning at 0. */
function oggChecksum(page: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    return crc;
  });
  let crc = 0;
  for (const byte of page) crc = (crc << 8) ^ (table[(crc >>> 24) ^ byte] as number);
  return crc >>> 0;
}

function shorter(promised: number, held: number): string {
  return `the file is cut off or damaged: it promises ${inWords(promised)} and holds ${inWords(held)}`;
}

function nameAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
