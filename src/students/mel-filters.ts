export type MelScale = 'slaney' | 'htk';

export interface MelFilterOptions {
  /** Samples a second. */
  readonly rate: number;
  /** Samples of the Fourier transform. */
  readonly fftSize: number;
  /** How many filters. */
  readonly mels: number;
  readonly scale: MelScale;
  /** Where the first filter begins and the last one ends, in Hz. */
  readonly lowHz: number;
  readonly highHz: number;
}

/**
 * Triangular filters that lie evenly on the mel scale: float32 [mels, fftSize / 2 + 1], each with the area 1 over its
 * frequencies in Hz, as `librosa.filters.mel(norm='slaney')` and `mel_filter_bank` of transformers make them.
 *
 * `slaney` is the scale of Slaney, "Auditory Toolbox" (1998): linear below 1 kHz, logarithmic above; `htk` that of
 * Young et al., "The HTK Book" (2006), section 5.4.
 */
export function melFilters({ rate, fftSize, mels, scale, lowHz, highHz }: MelFilterOptions): Float32Array {
  const { toMel, toHz } = SCALES[scale];
  const [low, high] = [toMel(lowHz), toMel(highHz)];
  const corners = Array.from({ length: mels + 2 }, (_, i) => toHz(low + ((high - low) * i) / (mels + 1)));
  const bins = fftSize / 2 + 1;
  const filters = new Float32Array(mels * bins);
  for (let mel = 0; mel < mels; mel++) {
    const [left, centre, right] = corners.slice(mel, mel + 3) as [number, number, number];
    for (let bin = 0; bin < bins; bin++) {
      const hz = (bin * rate) / fftSize;
      const height = Math.min((hz - left) / (centre - left), (right - hz) / (right - centre));
      filters[mel * bins + bin] = (Math.max(0, height) * 2) / (right - left);
    }
  }
  return filters;
}

/** Mels at 1 kHz, and what a mel above it multiplies a frequency by. */
const SLANEY = { knee: 15, perHz: 3 / 200, step: Math.log(6.4) / 27 };

const SCALES = {
  slaney: {
    toMel: (hz: number) => (hz < 1000 ? hz * SLANEY.perHz : SLANEY.knee + Math.log(hz / 1000) / SLANEY.step),
    toHz: (mel: number) =>
      mel < SLANEY.knee ? mel / SLANEY.perHz : 1000 * Math.exp((mel - SLANEY.knee) * SLANEY.step),
  },
  htk: {
    toMel: (hz: number) => 2595 * Math.log10(1 + hz / 700),
    toHz: (mel: number) => 700 * (10 ** (mel / 2595) - 1),
  },
} as const;
