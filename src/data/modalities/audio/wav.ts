import type { BrokenValue } from '../../broken-value.ts';
import { brokenAudio } from './broken-audio.ts';
import { type AudioFormat, isWav } from './formats.ts';
import { inWords } from './seconds-in-words.ts';

/** Bytes that can be read from any place: a file, or what is in memory. */
export interface ByteReader {
  readonly size: number;
  /** The bytes from `offset` on, `length` of them or what is left. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** One channel of audio. */
export interface Waveform {
  /** Between -1 and 1. */
  readonly samples: Float32Array;
  /** Samples a second. */
  readonly rate: number;
  /** How many the file has, of which this is the mean, and what it is; where it comes from a file. */
  readonly channels?: number;
  readonly format?: AudioFormat;
}

interface WavFormat {
  readonly encoding: keyof typeof READERS;
  readonly channels: number;
  readonly rate: number;
  /** Bytes of one sample of all channels. */
  readonly frameBytes: number;
  readonly dataStart: number;
  readonly dataBytes: number;
}

/** Rates that sound cards and telephones have, and those between. */
export const RATES = { lowest: 1000, highest: 768_000 };
const MOST_CHANNELS = 64;
const BLOCK_BYTES = 2 ** 20;

/** How samples are read, by kind and bits: the value between -1 and 1 that begins at a byte. */
const READERS = {
  'pcm 8': (view: DataView, at: number) => (view.getUint8(at) - 128) / 128,
  'pcm 16': (view: DataView, at: number) => view.getInt16(at, true) / 2 ** 15,
  'pcm 24': (view: DataView, at: number) =>
    (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
  'pcm 32': (view: DataView, at: number) => view.getInt32(at, true) / 2 ** 31,
  'float 32': (view: DataView, at: number) => view.getFloat32(at, true),
  'float 64': (view: DataView, at: number) => view.getFloat64(at, true),
  'A-law 8': (view: DataView, at: number) => aLaw(view.getUint8(at)),
  'mu-law 8': (view: DataView, at: number) => muLaw(view.getUint8(at)),
} as const;

const KINDS: Readonly<Record<number, string>> = { 1: 'pcm', 3: 'float', 6: 'A-law', 7: 'mu-law' };
const EXTENSIBLE = 0xfffe;

/**
 * Reads a WAV file: 8, 16, 24 and 32 bits, float, A-law and mu-law, any number of channels, whose mean is returned.
 *
 * The file is read in blocks, and no more of it than `seconds`: what a header promises takes no memory. Our own reader, not
 * that of a library, for the ones at hand trust these promises and take a cut file for a whole one.
 *
 * @throws BrokenValue where the header promises more than there is, for what lasts longer than `seconds`, has no samples, is no
 * WAV or of a kind that is not read here
 */
export function readWav(file: ByteReader, seconds: number): Waveform {
  const format = readFormat(file);
  const { channels, rate, frameBytes, dataStart, dataBytes, encoding } = format;
  const frames = Math.floor(dataBytes / frameBytes);
  if (frames === 0) throw brokenAudio('the audio has no samples');
  if (frames > seconds * rate) throw tooLong(seconds, frames / rate);
  const samples = new Float32Array(frames);
  const read = READERS[encoding];
  const sampleBytes = frameBytes / channels;
  const blockFrames = Math.max(1, Math.floor(BLOCK_BYTES / frameBytes));
  for (let first = 0; first < frames; first += blockFrames) {
    const count = Math.min(blockFrames, frames - first);
    const block = file.read(dataStart + first * frameBytes, count * frameBytes);
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    for (let frame = 0; frame < count; frame++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++)
        sum += read(view, frame * frameBytes + channel * sampleBytes);
      samples[first + frame] = sum / channels;
    }
  }
  return { samples, rate, channels, format: 'wav' };
}

/** @param length seconds that there are, where that is known */
export function tooLong(limit: number, length?: number): BrokenValue {
  const found = length === undefined ? 'more than that' : inWords(length);
  return brokenAudio(`the audio may last ${inWords(limit)}, and lasts ${found}`);
}

function readFormat(file: ByteReader): WavFormat {
  if (!isWav(file.read(0, 12))) throw brokenAudio('the file is no WAV file');
  let format: Omit<WavFormat, 'dataStart' | 'dataBytes'> | undefined;
  for (let at = 12; at + 8 <= file.size; ) {
    const head = file.read(at, 8);
    const size = new DataView(head.buffer, head.byteOffset).getUint32(4, true);
    const name = text(head, 0);
    if (name === 'fmt ') format = parseFormat(file.read(at + 8, Math.min(size, 40)));
    if (name === 'data') {
      if (!format) break;
      return { ...format, dataStart: at + 8, dataBytes: dataBytes(size, file.size - at - 8, format) };
    }
    // Chunks have an even number of bytes.
    at += 8 + size + (size % 2);
  }
  throw brokenAudio(`the WAV file has no ${format ? 'audio' : 'format'} in it`);
}

/** Bytes of audio. Who writes to a pipe cannot know how many there will be, and says 0 or as many as fit. */
function dataBytes(
  promised: number,
  there: number,
  { frameBytes, rate }: { frameBytes: number; rate: number },
): number {
  if (promised === 0 || promised >= 0x7fff_0000) return there;
  if (promised <= there + frameBytes) return Math.min(promised, there);
  const length = (bytes: number) => inWords(bytes / frameBytes / rate);
  throw brokenAudio(`the file is cut off: it promises ${length(promised)} and holds ${length(there)}`);
}

function parseFormat(bytes: Uint8Array): Omit<WavFormat, 'dataStart' | 'dataBytes'> {
  if (bytes.length < 16) throw brokenAudio('the format of the WAV file is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [channels, rate] = [view.getUint16(2, true), view.getUint32(4, true)];
  const [frameBytes, bits] = [view.getUint16(12, true), view.getUint16(14, true)];
  let kind = view.getUint16(0, true);
  if (kind === EXTENSIBLE && bytes.length >= 26) kind = view.getUint16(24, true);
  const encoding = `${KINDS[kind] ?? `kind ${kind}`} ${bits}`;
  if (!isReadable(encoding)) throw brokenAudio(`WAV of ${encoding} bits is not read`);
  if (channels === 0 || channels > MOST_CHANNELS || frameBytes !== (channels * bits) / 8)
    throw brokenAudio(`a WAV file of ${channels} channels and ${frameBytes} bytes a sample`);
  requireRate(rate);
  return { encoding, channels, rate, frameBytes };
}

/** @throws BrokenValue for a rate that no audio has */
export function requireRate(rate: number): void {
  if (rate >= RATES.lowest && rate <= RATES.highest) return;
  throw brokenAudio(`the file says ${rate} samples a second`);
}

function isReadable(encoding: string): encoding is keyof typeof READERS {
  return encoding in READERS;
}

function text(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** ITU-T G.711: 13 bits in 8, in segments of doubling step. */
function aLaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const size = segment === 0 ? step : (step + 256) << (segment - 1);
  return (bits & 0x80 ? size : -size) / 2 ** 15;
}

/** ITU-T G.711: 14 bits in 8. */
function muLaw(code: number): number {
  const bits = ~code & 0xff;
  const size = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return (bits & 0x80 ? -size : size) / 2 ** 15;
}
