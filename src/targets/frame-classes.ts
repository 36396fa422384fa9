import { z } from 'zod';
import { classNames } from '../data/labels/class-name.ts';
import { frameAuroc } from '../metrics/frame-auroc.ts';
import { tokenAccuracy } from '../metrics/token-accuracy.ts';
import { idsOf } from './class-ids.ts';
import { type FrameSpace, frameLabelsTruth } from './frame-labels-truth.ts';
import { CLASSES_OF_PLACES } from './inner/places.ts';
import { oneClassOf } from './one-class-of.ts';
import { defineTarget } from './target.ts';

const options = z
  .object({
    labels: classNames
      .min(2)
      .max(1000)
      .default(['silence', 'speech'])
      .describe('The classes of frames in the order of their numbers; the first stands for nothing.'),
  })
  .describe('A class for each frame of audio: where somebody speaks.');

/** A class for each frame: output float32 [batch, frames, classes]. A student has to have as many frames as the truth. */
export const frameClasses = defineTarget({
  kind: 'frame-classes',
  title: 'classes of frames',
  options,
  features: 'tokens',
  truth: ({ labels }) => frameLabelsTruth(labels),
  attach: (_g, _make, features, { space, scope }) =>
    features.project(scope, (space as FrameSpace).names.length),
  saying: (logits, space) => {
    const name = oneClassOf(logits, (space as FrameSpace).names);
    return name === undefined ? undefined : `'${name}' in every frame`;
  },
  objective: { labels: { tokenLabels: 0.3 }, teacher: { tokenKd: 0.7 } },
  metrics: ({ labels }) => [frameAuroc({ labels }), tokenAccuracy({ labels, title: 'frame accuracy' })],
  inner: CLASSES_OF_PLACES,
  example: { names: ['a', 'b'], frames: 1 },
  selection: 'frameAuroc',
  encoding: 'float16',
  classes: (space) => (space as FrameSpace).names,
  config: (space) => idsOf((space as FrameSpace).names),
});
