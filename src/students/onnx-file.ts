import { z } from 'zod';
import { defineBackbone } from './backbone.ts';
import { featuresOfGiven, GIVEN_FEATURES, givenGraph } from './given-model.ts';

export const attachOption = z
  .string()
  .min(1)
  .optional()
  .describe('The value of its graph that heads attach to; the last layer that is found when absent.');
export const poolingOption = z
  .enum(['mean', 'first'])
  .default('mean')
  .describe('What a text as a whole is, of the vectors of its tokens.');

const options = z
  .object({
    model: z
      .string()
      .min(1)
      .describe('The ONNX file, or the folder that holds it; it reads what the recipe reads.'),
    attach: attachOption,
    pooling: poolingOption,
    weights: z
      .enum(['own', 'drawn'])
      .default('own')
      .describe('Whether it begins with its own weights, or with drawn ones of the same spread.'),
  })
  .describe('Any ONNX model: new heads attach to one of its values, and all of its weights are trained.');

/** Any ONNX model as a student. */
export const onnxFile = defineBackbone({
  kind: 'onnx',
  options,
  accepts: ['text', 'image'],
  features: GIVEN_FEATURES,
  build: (g, make, own, inputs) => featuresOfGiven(g, make, givenGraph(inputs, 'onnx'), own),
});
