/** The middle of a waveform, of so many samples; silence around what is shorter. */
export function middleWindow(waveform: Float32Array, length: number): Float32Array {
  const window = new Float32Array(length);
  if (waveform.length >= length) {
    const start = Math.floor((waveform.length - length) / 2);
    window.set(waveform.subarray(start, start + length));
  } else {
    window.set(waveform, Math.floor((length - waveform.length) / 2));
  }
  return window;
}

const LARGEST = 32767;

/** Samples between -1 and 1 as 16 bits, little-endian; louder ones are cut. */
export function toPcm16(samples: Float32Array): Uint8Array {
  const bytes = new Uint8Array(2 * samples.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i++)
    view.setInt16(2 * i, Math.round(LARGEST * Math.min(1, Math.max(-1, samples[i] as number))), true);
  return bytes;
}

export function fromPcm16(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.byteLength / 2);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / LARGEST;
  return samples;
}

/** So that silence stays silence: the same number as in transformers. */
const LEAST_VARIANCE = 1e-7;

/** With mean 0 and deviation 1, as Wav2Vec2FeatureExtractor makes it by `do_normalize`. */
export function standardized(samples: Float32Array): Float32Array {
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const variance = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples.length;
  const deviation = Math.sqrt(variance + LEAST_VARIANCE);
  return samples.map((value) => (value - mean) / deviation);
}
