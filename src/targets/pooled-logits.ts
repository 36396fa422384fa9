import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Features } from './features.ts';

/** Between the mean of all places (towards 0) and the highest (towards infinity); that of the paper's experiments. */
const SHARPNESS = 5;

/**
 * Logits of places, float32 [batch, classes, rows, columns], to logits of images [batch, classes]: log(mean(exp(r x))) / r.
 * A thing that fills a few places is not averaged away. Pinheiro and Collobert, "From Image-level to Pixel-level Labeling with
 * Convolutional Networks" (2015), equation 6.
 */
export function pooledLogits(g: GraphBuilder, logits: TypedValue): TypedValue {
  const [, , rows, columns] = logits.shape as readonly number[];
  const places = (rows as number) * (columns as number);
  const sums = g.reduceLogSumExp(g.mul(logits, SHARPNESS), { axes: [2, 3], keepDims: false });
  return g.mul(g.add(sums, -Math.log(places)), 1 / SHARPNESS);
}

/**
 * The places that pooled features are made of.
 *
 * @throws LimbeckError `recipe.invalid` where the backbone has none
 */
export function placesOf({ map }: Features, output: string): Features {
  if (map) return map();
  throw new LimbeckError('recipe.invalid', 'the student has no places whose logits could be pooled', {
    where: `outputs.${output}.pooling`,
    remedy: 'Leave the key out, or take a student of images that has a map (resnet, mobilenet-v3, vit).',
  });
}
