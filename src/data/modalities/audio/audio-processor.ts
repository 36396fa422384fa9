import type { Tensor } from '../../../onnx/tensor.ts';
import { canonicalJson } from '../../canonical-json.ts';
import { INPUT_VALUES } from '../../columns.ts';
import type { Example } from '../../split.ts';
import type { Encoded, Processor, View } from '../modality.ts';
import { brokenAudio } from './broken-audio.ts';
import { decodeAudio } from './decode-audio.ts';
import { audioName, isMisnamed, type RawAudio, rawAudio } from './raw-audio.ts';
import { resample } from './resample.ts';
import { variationOptions, varyAudio } from './variation.ts';
import { requireRate, tooLong, type Waveform } from './wav.ts';
import { waveformPicture, waveformSound } from './waveform-example.ts';
import { fromPcm16, middleWindow, standardized, toPcm16 } from './window.ts';

export interface AudioProcessorOptions {
  /** Samples a second of what is kept. */
  readonly rate: number;
  /** Samples of each window. */
  readonly samples: number;
  /** Whether each window is given mean 0 and deviation 1, as Wav2Vec2FeatureExtractor does by `do_normalize`. */
  readonly normalize: boolean;
  /** Longer audio breaks its row. */
  readonly maxSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

const FULL_SCALE = 1.05;

/** Windows of audio at one rate, one channel, kept as 16 bits. */
export class AudioProcessor implements Processor {
  readonly hash: string;
  readonly columns: Processor['columns'];
  readonly #options: AudioProcessorOptions;

  constructor(options: AudioProcessorOptions) {
    this.#options = options;
    const { rate, samples, normalize, maxSeconds } = options;
    this.hash = canonicalJson({ modality: 'audio', rate, samples, normalize, maxSeconds });
    this.columns = [{ name: INPUT_VALUES, type: 'float32', shape: [samples], pad: 0, role: 'input' }];
  }

  get forBackbones(): { samplingRate: number; samples: number } {
    return { samplingRate: this.#options.rate, samples: this.#options.samples };
  }

  get rate(): number {
    return this.#options.rate;
  }

  get samples(): number {
    return this.#options.samples;
  }

  get normalize(): boolean {
    return this.#options.normalize;
  }

  bytesFor(): number {
    return 2 * this.#options.samples;
  }

  async encode(value: unknown): Promise<Encoded> {
    const raw = rawAudio(value);
    const { rate, samples } = this.#options;
    const decoded = await this.#decoded(raw);
    const bytes = toPcm16(middleWindow(resample(decoded.samples, decoded.rate, rate), samples));
    const facts = {
      // Nothing but zeros: a muted microphone, or what a class of silence is made of.
      silent: bytes.every((byte) => byte === 0),
      // Louder than what is kept, by more than resampling and rounding make of it.
      clipped: decoded.samples.some((sample) => Math.abs(sample) > FULL_SCALE),
      resampled: decoded.rate !== rate,
      mixed: decoded.channels !== undefined && decoded.channels > 1,
      misnamed: decoded.format !== undefined && isMisnamed(raw, decoded.format),
      cropped: decoded.samples.length * rate > (samples + 1) * decoded.rate,
    };
    const told = Object.entries(facts).filter(([, is]) => is);
    return {
      bytes,
      shown: audioName(raw),
      ...(told.length > 0 && { facts: Object.fromEntries(told.map(([fact]) => [fact, 1])) }),
    };
  }

  vary(bytes: Uint8Array, { options, ...place }: View): Uint8Array {
    const chosen = variationOptions.strip().parse(options ?? {});
    return toPcm16(varyAudio(fromPcm16(bytes), this.#options.rate, chosen, place));
  }

  decode(bytes: Uint8Array, columns: Readonly<Record<string, Tensor>>, row: number): void {
    const values = columns[INPUT_VALUES]?.data as Float32Array;
    const samples = fromPcm16(bytes);
    values.set(this.#options.normalize ? standardized(samples) : samples, row * this.#options.samples);
  }

  mix(a: Uint8Array, b: Uint8Array, part: number): Uint8Array {
    const [first, second] = [fromPcm16(a), fromPcm16(b)];
    return toPcm16(first.map((value, i) => part * value + (1 - part) * (second[i] as number)));
  }

  example(bytes: Uint8Array, shown: Uint8Array): Example {
    const samples = fromPcm16(bytes);
    const sound = waveformSound(samples, this.#options.rate);
    return {
      text: new TextDecoder().decode(shown),
      picture: waveformPicture(samples),
      ...(sound !== undefined && { sound }),
    };
  }

  files(): Readonly<Record<string, Uint8Array>> {
    const config = {
      feature_extractor_type: 'Wav2Vec2FeatureExtractor',
      feature_size: 1,
      sampling_rate: this.#options.rate,
      padding_value: 0,
      do_normalize: this.#options.normalize,
      return_attention_mask: false,
    };
    return { 'preprocessor_config.json': new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`) };
  }

  async #decoded(raw: RawAudio): Promise<Waveform> {
    const { maxSeconds, signal } = this.#options;
    if (!('samples' in raw)) {
      const source = 'bytes' in raw ? { bytes: raw.bytes } : { path: raw.path };
      return decodeAudio(source, { seconds: maxSeconds, signal });
    }
    requireRate(raw.rate);
    if (raw.samples.length === 0) throw brokenAudio('the audio has no samples');
    if (raw.samples.length > maxSeconds * raw.rate) throw tooLong(maxSeconds, raw.samples.length / raw.rate);
    return raw;
  }
}
