import { expect, it } from 'vitest';
import { parseRecipe } from './parse.ts';

const recipe = (more: string) => `
name: scenes
task: object-detection
data:
  source: { kind: scenes }
inputs:
  image: { modality: image, field: image }
outputs:
  boxes: { target: boxes, field: boxes }
  said: { target: sentence, field: text }
student: { kind: resnet }
${more}`;

it('refuses what does not go with a sentence, before anything is read', () => {
  const wrong = recipe('export: { fp16: true }')
    .replace('kind: scenes }', 'kind: scenes }\n  augmentation: { crop: 2 }')
    .replace('  said:', '  other: { target: sentence, field: text }\n  said:');
  const problems = () => parseRecipe(wrong);
  expect(problems).toThrow(/a student writes one sentence, and 'other' is one/);
  expect(problems).toThrow(/images are mirrored/);
  expect(problems).toThrow(/does not leave in float16 yet/);
  expect(() => parseRecipe(recipe('export: { int8: false }'))).not.toThrow();
});

it('refuses what reads whole answers where some words of them are kept', () => {
  const kept = recipe('teacher: { kind: onnx-image, model: teacher }\nweighting: { kind: dynamic }').replace(
    'target: sentence, field: text }',
    'target: sentence, field: text, keep: { likeliest: 8 } }',
  );
  expect(() => parseRecipe(kept)).toThrow(
    /dynamic weighting reads the whole of the teacher's answer, .* \(outputs\.said\.keep: all\)/,
  );
  expect(() => parseRecipe(kept.replace('likeliest: 8', 'likeliest: 0'))).toThrow(
    /keep\.likeliest: expected a whole number/,
  );
  expect(() => parseRecipe(kept.replace('kind: dynamic', 'kind: fixed'))).not.toThrow();
});
