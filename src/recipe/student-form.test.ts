import { expect, it } from 'vitest';
import type { LimbeckError } from '../errors.ts';
import { checkRecipe } from './parse.ts';
import { requireStatedForm } from './student-form.ts';

const opened = (more: object) => requireStatedForm(checkRecipe(recipe(more)));

const image = (size: number) => ({ image: { modality: 'image', field: 'image', size } });
const recipe = (more: object) => ({
  name: 'mine',
  data: { source: { kind: 'csv', path: 'rows.csv' } },
  student: { kind: 'text-conv' },
  ...more,
});
const TAGS = { tags: { target: 'classes', field: 'tags', pooling: 'logSumExp' } };
const AUDIO = { task: 'audio-classification', student: { kind: 'audio-conv' } };

it.each([
  ['a text without places to pool', { outputs: TAGS }, /outputs\.tags\.pooling: .*resnet/],
  ['audio without places to pool', { ...AUDIO, outputs: TAGS }, /outputs\.tags\.pooling: .*resnet/],
  [
    'patches that do not divide the images',
    { task: 'image-classification', inputs: image(30), student: { kind: 'vit', patch: 16 } },
    /student\.patch: patches of 16 pixels do not divide 30 x 30/,
  ],
  [
    'frames that leave samples out',
    {
      ...AUDIO,
      inputs: { audio: { modality: 'audio', field: 'audio', seconds: 1, rate: 16_000 } },
      student: { kind: 'audio-conv', hop: 0.05, window: 0.025 },
    },
    /student\.hop: .*leave samples out/,
  ],
  [
    'heads of an odd size',
    { task: 'text-generation', student: { kind: 'llama', width: 9, heads: 3, keyHeads: 3 } },
    /student\.heads: a head of 3 numbers/,
  ],
  [
    'a grid that no map makes',
    {
      task: 'object-detection',
      inputs: image(28),
      student: { kind: 'resnet' },
      outputs: { boxes: { target: 'boxes', field: 'boxes', grid: [9, 9] } },
    },
    /outputs\.boxes\.grid: /,
  ],
])('refuses %s before anything is read', (_, more, message) => {
  const refused = () => {
    try {
      opened(more);
    } catch (error) {
      return error as LimbeckError;
    }
    return undefined;
  };
  expect(`${refused()?.where}: ${refused()?.message}`).toMatch(message);
});

it('leaves to the data what only they say', () => {
  const vit = { task: 'image-classification', student: { kind: 'vit', patch: 16 } };
  expect(() => opened(vit)).not.toThrow();
  expect(() => opened({ ...vit, inputs: image(32), outputs: TAGS })).not.toThrow();
});

it('leaves a student alone whose encoder is read later', () => {
  const pairs = {
    task: 'zero-shot-image-classification',
    inputs: { text: { modality: 'text', field: 'text' }, ...image(32) },
    outputs: { pairs: { target: 'pairs', width: 512 } },
    student: {
      kind: 'dual-encoder',
      text: { kind: 'use-lite' },
      image: { kind: 'mobilenet-v3', size: 'tiny' },
    },
    objective: [{ kind: 'infoNce', outputs: ['text_embeds', 'image_embeds'] }],
  };
  expect(() => opened(pairs)).not.toThrow();
});
