import { expect, test } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { randomStream } from '../random.ts';
import type { Backbone, ModelInputs } from './backbone.ts';
import { BACKBONES } from './index.ts';
import { ParameterMaker } from './parameters.ts';

const text = { vocabularySize: 20, maxLength: 8 };
const image = { channels: 1, height: 16, width: 16 };
const INPUTS: ModelInputs = {
  text,
  image,
  audio: { samplingRate: 16_000, samples: 16_000 },
  'text+image': { text, image },
};

// Recipes are refused by what a student declares.
test.each(BACKBONES.map((one) => [one.kind, one as unknown as Backbone] as const))(
  '%s has the features that it declares',
  (_, { accepts, options, features, build }) => {
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, randomStream(1, 'features'));
    const built = build(g, make, options.parse({}), INPUTS[accepts[0] as keyof ModelInputs] as never);
    expect(Object.keys(built).toSorted()).toEqual([...(features ?? [])].toSorted());
  },
);
