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
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
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
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + heard.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(heardRate, 24);
  head.writeUInt32LE(heardRate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(heard.length, 40);
  const audio = Uint8Array.from(heard, (value) => Math.round(128 + (120 * value) / peak));
  return `data:audio/wav;base64,${Buffer.concat([head, audio]).toString('base64')}`;
}
