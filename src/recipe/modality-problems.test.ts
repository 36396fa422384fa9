import { expect, it } from 'vitest';
import { checkRecipe } from './parse.ts';

const recipe = (more: object) => ({
  name: 'mine',
  data: { source: { kind: 'csv', path: 'rows.csv' } },
  teacher: { kind: 'use-lite' },
  student: { kind: 'text-conv' },
  ...more,
});
const SPANS = { spans: { target: 'token-classes', field: 'spans' } };

it.each([
  [
    'pixels of texts',
    { data: { source: { kind: 'csv', path: 'rows.csv' }, adversarial: {} } },
    /data\.adversarial: texts have no pixels.*objective\.boundary/,
  ],
  [
    'a teacher of texts inside the step',
    { objective: { boundary: { weight: 0.1, target: 'teacher' } } },
    /objective\.boundary\.target: .*target: kept/,
  ],
  [
    'classes of tokens where nothing has tokens',
    { task: 'audio-classification', teacher: false, student: { kind: 'audio-conv' }, outputs: SPANS },
    /outputs\.spans\.target: .*input of texts/,
  ],
  ['a head for each token on one vector', { outputs: SPANS }, /teacher\.train: .*train: none/],
  [
    'a prompt for images',
    {
      task: 'image-classification',
      teacher: { kind: 'hub', model: 'OWNER/NAME', prompt: 'a photo of ' },
      student: { kind: 'resnet' },
    },
    /teacher\.prompt: .*the teacher reads image/,
  ],
  [
    'a prompt for one of several teachers of images',
    {
      task: 'image-classification',
      teacher: {
        kind: 'several',
        teachers: [
          { kind: 'onnx-image', model: 'one' },
          { kind: 'hub', model: 'OWNER/NAME', prompt: '' },
        ],
      },
      student: { kind: 'resnet' },
    },
    /teacher\.teachers\.?\[?1\]?\.prompt: .*the teacher reads image/,
  ],
  ['a cut of nothing', { teacher: false, student: { kind: 'cut' } }, /student\.kind: .*name a teacher/],
  [
    'layers in another order',
    { teacher: { kind: 'onnx', model: 'teacher' }, student: { kind: 'cut', layers: [0, 3, 1] } },
    /student\.layers: .*1 comes after 3/,
  ],
])('refuses %s as the recipe is read', (_, more, message) => {
  expect(() => checkRecipe(recipe(more))).toThrow(message);
});
