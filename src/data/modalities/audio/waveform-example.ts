import { base64Of, numbersIn, utf8Of } from '../../../platform/bytes.ts';
import { resample } from './resample.ts';

const SIZE = { width: 160, height: 48 };

/** A drawing of a waveform as the data URI of an SVG: at each place from its lowest to its highest value. */
export function waveformPicture(samples: Float32Array): string {
  const { width, height } = SIZE;
  const middle = height / 2;
  const lines: string[] = [];
  for (let x = 0; x < width; x++) {
    const start = Math.floor((x * samples.length) / width);
    const end = Math.max(start + 1, Math.floor(((x + 1) * samples.length) / width));
    let [low, high] = [0, 0];
    for (const value of samples.subarray(start, end)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const y = (value: number) => (middle - value * (middle - 1)).toFixed(1);
    lines.push(`M${x + 0.5} ${y(high)}V${(Number(y(low)) + 0.5).toFixed(1)}`);
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><path d="${lines.join('')}" stroke="#4a7ebb" fill="none"/></svg>`;
  return `data:image/svg+xml;base64,${base64Of(utf8Of(svg))}`;
}

/** Enough to understand a word by, in a fifth of the bytes. */
const HEARD_RATE = 8000;
const MOST_SECONDS = 4;

/** A waveform to listen to, as the data URI of a WAV file of 8 bits; undefined for one that is long. */
export function waveformSound(samples: Float32Array, rate: number): string | undefined {
  if (samples.length > MOST_SECONDS * rate) return undefined;
  const heard = rate > HEARD_RATE ? resample(samples, rate, HEARD_RATE) : samples;
  const heardRate = Math.min(rate, HEARD_RATE);
  const peak = heard.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  const file = new Uint8Array(44 + heard.length);
  const head = numbersIn(file);
  file.set(utf8Of('RIFF'), 0);
  head.setUint32(4, 36 + heard.length, true);
  file.set(utf8Of('WAVEfmt '), 8);
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, heardRate, true);
  head.setUint32(28, heardRate, true);
  head.setUint16(32, 1, true);
  head.setUint16(34, 8, true);
  file.set(utf8Of('data'), 36);
  head.setUint32(40, heard.length, true);
  for (const [i, value] of heard.entries()) file[44 + i] = Math.round(128 + (120 * value) / peak);
  return `data:audio/wav;base64,${base64Of(file)}`;
}
