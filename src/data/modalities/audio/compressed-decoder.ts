import { decoder as flac } from '@audio/decode-flac';
import { decoder as mp3 } from '@audio/decode-mp3';
import { decoder as opus } from '@audio/decode-opus';
import { decoder as vorbis } from '@audio/decode-vorbis';
import { bytesReader, openByteReader } from './byte-reader.ts';
import { audioEnd } from './damaged-audio.ts';
import type { AudioFormat } from './formats.ts';

// Runs in a process of its own (src/data/isolated): decoders of compressed audio are made of much code that was not written in
// JavaScript, and a few bytes can stand for hours.

export interface CompressedInput {
  readonly source: { readonly path: string } | { readonly bytes: Uint8Array };
  readonly format: Exclude<AudioFormat, 'wav'>;
  /** More of it is not decoded: the piece that passes it is the last. */
  readonly seconds: number;
}

/** A part of the mean of all channels; how many they are. */
export interface CompressedPiece {
  readonly samples: Float32Array;
  readonly rate: number;
  readonly channels: number;
}

interface Decoder {
  decode(bytes: Uint8Array): { channelData: Float32Array[]; sampleRate: number };
  flush?(): { channelData: Float32Array[]; sampleRate: number };
  free(): void;
}

const DECODERS: Readonly<Record<CompressedInput['format'], () => Promise<Decoder>>> = {
  flac,
  mp3,
  opus,
  vorbis,
};

/** Little, for a decoder returns all that these bytes hold at once. */
const CHUNK_BYTES = 4096;

/** The audio of a file, piece by piece. */
export async function* decode({ source, format, seconds }: CompressedInput): AsyncGenerator<CompressedPiece> {
  const file = 'path' in source ? openByteReader(source.path) : bytesReader(source.bytes);
  const decoder = await DECODERS[format]();
  let rate = 0;
  let left = Number.POSITIVE_INFINITY;
  const piece = (audio: ReturnType<Decoder['decode']>): CompressedPiece | undefined => {
    if (!audio.channelData[0]?.length) return undefined;
    if (rate === 0) {
      rate = audio.sampleRate;
      left = seconds * rate;
    } else if (audio.sampleRate !== rate) {
      throw new Error(`its rate changes from ${rate} to ${audio.sampleRate} samples a second`);
    }
    // One sample more than is allowed tells that there are more.
    const most = Math.floor(left) + 1;
    left -= audio.channelData[0].length;
    const channels = audio.channelData.map((channel) => channel.subarray(0, most));
    return { samples: meanOf(channels), rate, channels: channels.length };
  };
  try {
    const end = audioEnd(file);
    for (let at = 0; at < end && left >= 0; at += CHUNK_BYTES) {
      const made = piece(decoder.decode(file.read(at, Math.min(CHUNK_BYTES, end - at))));
      if (made) yield made;
    }
    const rest = left >= 0 && decoder.flush ? piece(decoder.flush()) : undefined;
    if (rest) yield rest;
  } finally {
    decoder.free();
    file.close();
  }
}

function meanOf(channels: readonly Float32Array[]): Float32Array {
  const [first] = channels as [Float32Array];
  return first.map((_, i) => channels.reduce((sum, channel) => sum + (channel[i] ?? 0), 0) / channels.length);
}
