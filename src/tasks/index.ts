import { registry } from '../registry.ts';
import type { TaskKind } from './task-kind.ts';

export type { TaskKind } from './task-kind.ts';

/** The tasks that a recipe can name: pipeline tags of Hugging Face. A new one is a line here. */
export const TASKS = registry('task', [
  {
    kind: 'text-classification',
    inputs: { text: 'text' },
    outputs: { logits: 'class' },
    description: 'A class of each text (or several, or a number, by `outputs`).',
  },
  {
    kind: 'token-classification',
    inputs: { text: 'text' },
    outputs: { logits: 'token-classes' },
    description: 'A class of each token of a text: names, places.',
  },
  {
    kind: 'text-generation',
    inputs: { text: 'text' },
    outputs: { logits: 'next-tokens' },
    description: 'What comes next in a text: a language model.',
  },
  {
    kind: 'feature-extraction',
    inputs: { text: 'text' },
    outputs: { embedding: 'embedding' },
    description: 'A vector for each text, near those of texts that mean the same.',
  },
  {
    kind: 'image-classification',
    inputs: { image: 'image' },
    outputs: { logits: 'class' },
    description: 'A class of each image.',
  },
  {
    kind: 'object-detection',
    inputs: { image: 'image' },
    outputs: { boxes: 'boxes' },
    description: 'What is in an image, and where.',
  },
  {
    kind: 'audio-classification',
    inputs: { audio: 'audio' },
    outputs: { logits: 'class' },
    description: 'A class of each piece of audio.',
  },
  {
    kind: 'audio-frame-classification',
    inputs: { audio: 'audio' },
    outputs: { logits: 'frame-classes' },
    description: 'What is heard in each frame of audio: speech or none.',
  },
  {
    kind: 'zero-shot-image-classification',
    inputs: { text: 'text', image: 'image' },
    outputs: { pairs: 'pairs' },
    description: 'Vectors of texts and of images in one space.',
  },
]) as readonly TaskKind[];

/** The task of a name; undefined for others. */
export function findTask(kind: string): TaskKind | undefined {
  return TASKS.find((task) => task.kind === kind);
}
