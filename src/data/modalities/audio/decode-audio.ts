import { LimbeckError } from '../../../errors.ts';
import { decodeIsolated, decoderBeside } from '../../isolated/decode-isolated.ts';
import { inTurn } from '../../isolated/decoder-turns.ts';
import { limitsFor } from '../../isolated/limits.ts';
import { brokenAudio } from './broken-audio.ts';
import { bytesReader, openByteReader } from './byte-reader.ts';
import type { CompressedInput, CompressedPiece } from './compressed-decoder.ts';
import { damageOf } from './damaged-audio.ts';
import { audioFormat, HEAD_BYTES } from './formats.ts';
import { type ByteReader, readWav, requireRate, tooLong, type Waveform } from './wav.ts';

export type AudioFile = { readonly path: string } | { readonly bytes: Uint8Array };

export interface DecodingOptions {
  /** The longest audio that is decoded, in seconds. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decodes a WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus file, whatever its ending, to the mean of its channels at its own rate.
 * WAV is read here, in blocks; all else is decoded in a process of its own, which is ended if it takes too much time or
 * memory.
 *
 * @throws BrokenValue for what cannot be decoded, is cut off, has no samples or lasts longer than `seconds`; the signal's reason
 */
export async function decodeAudio(source: AudioFile, options: DecodingOptions): Promise<Waveform> {
  const file = 'path' in source ? openFile(source.path) : bytesReader(source.bytes);
  try {
    if (file.size === 0) throw brokenAudio('the file is empty');
    const format = audioFormat(file.read(0, HEAD_BYTES));
    if (!format) throw brokenAudio('the file is no WAV, FLAC, MP3 or Ogg file');
    const waveform =
      format === 'wav'
        ? readWav(file, options.seconds)
        : await inTurn(() => decodeCompressed({ source, format, seconds: options.seconds }, file, options));
    return readable(waveform);
  } finally {
    file.close();
  }
}

function openFile(path: string): ByteReader {
  try {
    return openByteReader(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw brokenAudio(
      code === 'ENOENT' ? `there is no file ${path}` : `the file cannot be opened: ${message}`,
    );
  }
}

async function decodeCompressed(
  input: CompressedInput,
  file: ByteReader,
  { signal }: DecodingOptions,
): Promise<Waveform> {
  const pieces: Float32Array[] = [];
  let [rate, count, channels] = [0, 0, 0];
  try {
    const decoded = decodeIsolated<CompressedInput, CompressedPiece>({
      decoder: decoderBeside(import.meta.url, 'compressed-decoder'),
      input,
      limits: limitsFor(file.size),
      file: 'path' in input.source ? input.source.path : input.format,
      signal,
    });
    for await (const piece of decoded) {
      rate = piece.rate;
      channels = piece.channels;
      pieces.push(piece.samples);
      count += piece.samples.length;
      if (count > input.seconds * rate) throw tooLong(input.seconds);
    }
  } catch (error) {
    if (error instanceof LimbeckError && error.code === 'data.unreadable') throw brokenAudio(error.message);
    throw error;
  }
  const damage = damageOf(file, input.format, { samples: count, rate });
  if (damage !== undefined) throw brokenAudio(damage);
  if (count === 0) throw brokenAudio('the audio has no samples');
  requireRate(rate);
  const samples = new Float32Array(count);
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return { samples, rate, channels, format: input.format };
}

/** Samples that are louder than 1 by more are whole numbers of 16 bits, say, in a file of floats. */
const LOUDEST = 64;

/** @throws BrokenValue for samples that files of floats may hold: no numbers, and those of another scale */
function readable(waveform: Waveform): Waveform {
  let loudest = 0;
  for (const sample of waveform.samples) {
    if (!Number.isFinite(sample)) throw brokenAudio('the audio has samples that are no numbers');
    loudest = Math.max(loudest, Math.abs(sample));
  }
  if (loudest <= LOUDEST) return waveform;
  const reached = loudest < 1e6 ? Math.round(loudest) : loudest.toExponential(1);
  throw brokenAudio(
    `the samples reach ${reached}, where 1 is the loudest: they were written in another scale`,
  );
}
