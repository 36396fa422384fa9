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
