import { z } from 'zod';
import { LimbeckError } from '../../../errors.ts';
import { defineModality } from '../modality.ts';
import { AudioProcessor } from './audio-processor.ts';

const options = z
  .strictObject({
    rate: z
      .int()
      .min(4000)
      .max(48_000)
      .optional()
      .describe('Samples a second, to which all audio is resampled. What the source has, or 16000.'),
    seconds: z
      .number()
      .positive()
      .max(60)
      .optional()
      .describe('How long every sample is: the middle of longer audio, and silence around shorter.'),
    normalize: z
      .boolean()
      .default(false)
      .describe(
        'Whether each sample is given mean 0 and deviation 1 (`do_normalize` of Wav2Vec2FeatureExtractor).',
      ),
    maxSeconds: z
      .number()
      .positive()
      .max(3600)
      .default(60)
      .describe('Audio that lasts longer is a broken row: decoding takes four bytes of memory a sample.'),
  })
  .describe(
    'Audio: WAV, FLAC, MP3 and Ogg files of any rate, bits and channels, of which the mean is taken.',
  );

/** Waveforms as `input_values`, float32 [batch, samples], all of one length. */
export const audio = defineModality({
  kind: 'audio',
  readsFiles: true,
  options,
  open({ rate, seconds, normalize, maxSeconds }, { input, declared, signal }) {
    if (seconds === undefined) {
      throw new LimbeckError('data.options', 'the samples of audio have no common length', {
        where: `inputs.${input}`,
        remedy: `Set inputs.${input}.seconds (1 for single words).`,
      });
    }
    const chosen = rate ?? declared?.sampleRate ?? 16_000;
    const samples = Math.round(seconds * chosen);
    return new AudioProcessor({ rate: chosen, samples, normalize, maxSeconds, signal });
  },
});
