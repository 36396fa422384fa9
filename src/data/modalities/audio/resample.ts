/** Zero crossings of the sinc on each side, and the shape of its Kaiser window. */
const ZEROS = 24;
const KAISER_BETA = 9;
/** How much of the narrower band passes. */
const PASSED = 0.94;
/** Weights that are kept at most; rates without a common divisor have more, and compute theirs as they need them. */
const MOST_KEPT = 2 ** 16;

/**
 * A waveform at another rate, band-limited: each sample is a sum of those around it, weighted by a sinc under a Kaiser
 * window whose band is that of the lower rate (Smith and Gossett, "A flexible sampling-rate conversion method", 1984).
 * The result has `ceil(samples * to / from)` samples, the first at the same time as before.
 */
export function resample(waveform: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return waveform;
  const divisor = greatestCommonDivisor(from, to);
  const [step, phases] = [from / divisor, to / divisor];
  const band = PASSED * Math.min(1, to / from);
  const reach = Math.ceil(ZEROS / band);
  const weightsOf = keptWeights(phases, step, band, reach);
  const length = Math.ceil((waveform.length * to) / from);
  const result = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const place = i * step;
    const centre = Math.floor(place / phases);
    const weights = weightsOf(place % phases);
    const first = Math.max(0, centre - reach + 1);
    const last = Math.min(waveform.length - 1, centre + reach);
    let sum = 0;
    for (let j = first, k = first - centre + reach - 1; j <= last; j++, k++) {
      sum += (waveform[j] as number) * (weights[k] as number);
    }
    result[i] = sum;
  }
  return result;
}

/** Weights of the pairs of rates that were asked for: the files of a data set have few, and views of clips some dozens. */
const known = new Map<string, (phase: number) => Float64Array>();
const MOST_PAIRS = 64;

function keptWeights(phases: number, step: number, band: number, reach: number) {
  const key = `${step}/${phases}`;
  let weightsOf = known.get(key);
  if (!weightsOf) {
    if (known.size === MOST_PAIRS) known.clear();
    weightsOf = phaseWeights(phases, band, reach);
    known.set(key, weightsOf);
  }
  return weightsOf;
}

/**
 * For a place `phase / phases` behind a sample: the weights of the `2 * reach` samples around it, which sum to 1, so that a
 * constant stays one.
 */
function phaseWeights(phases: number, band: number, reach: number): (phase: number) => Float64Array {
  const kept = new Map<number, Float64Array>();
  const keeps = phases * 2 * reach <= MOST_KEPT;
  return (phase) => {
    const known = kept.get(phase);
    if (known) return known;
    const weights = Float64Array.from({ length: 2 * reach }, (_, k) => {
      const distance = k - reach + 1 - phase / phases;
      return band * sinc(band * distance) * kaiser((band * distance) / ZEROS);
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (let k = 0; k < weights.length; k++) weights[k] = (weights[k] as number) / sum;
    if (keeps) kept.set(phase, weights);
    return weights;
  };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** The modified Bessel function of the first kind, of order 0, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
