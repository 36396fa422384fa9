import { expect, it } from 'vitest';
import { parseRecipe } from './parse.ts';

const recipe = (student: string, seconds = 1) => `
name: frames
task: audio-classification
data:
  source: { kind: audio-folder, path: tones }
inputs:
  audio: { modality: audio, field: audio, rate: 16000, seconds: ${seconds} }
student: { kind: wav2vec2, ${student} }`;

it.each([
  ['positionGroups: 3', 1, /student.positionGroups: 3 groups do not divide a width of 128/],
  ['kernels: [10, 3]', 1, /student.kernels: there are 2 kernels and 7 strides/],
  ['width: 64', 0.02, /inputs.audio.seconds: a window of 320 samples, .* first frame needs 400/],
])('refuses frames that cannot be, before anything is read: %s', (student, seconds, message) => {
  expect(() => parseRecipe(recipe(student, seconds))).toThrow(message);
});

it('lets a window of a whole frame be', () => {
  expect(() => parseRecipe(recipe('width: 64', 0.025))).not.toThrow();
});
