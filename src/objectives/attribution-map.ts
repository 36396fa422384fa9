import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { isPixels, isWaveform } from './attributed-features.ts';

/** Maps whose squares sum to less say nothing: they stay near 0 instead of becoming noise of length 1. */
const LEAST_SQUARES = 1e-8;

/**
 * What each place of the input did for a decision: gradient x input, summed over channels [B, channels, H, W] -> [B, H, W]
 * or over the embedding's width [B, T, width] -> [B, T], or over parts of a waveform [B, samples] -> [B, 32], of length 1 for
 * each sample, so that models of other widths and with other logits can be compared.
 *
 * Shrikumar, Greenside, Shcherbina and Kundaje, "Not Just a Black Box: Learning Important Features Through Propagating
 * Activation Differences" (2016), section 2; Ancona, Ceolini, Oztireli and Gross (2018), table 1.
 *
 * @param mask of the tokens, float32 [B, T]: padding did nothing
 */
export function attributionMap(
  g: GraphBuilder,
  features: TypedValue,
  gradient: TypedValue,
  mask?: TypedValue,
): TypedValue {
  const products = g.mul(gradient, features);
  const summed = isWaveform(features)
    ? overParts(g, products)
    : g.reduceSum(products, { axes: isPixels(features) ? [1] : [2], keepDims: false });
  const map = mask ? g.mul(summed, mask) : summed;
  const squares = g.reduceSum(g.square(map), { axes: axesOf(map) });
  return g.div(map, g.sqrt(g.add(squares, LEAST_SQUARES)));
}

/** Parts of a waveform that are told apart: single samples are parts of waves, and say nothing alone. */
const PARTS = 32;

/** The sum over each of `PARTS` parts of one length: [B, samples] -> [B, PARTS]; what is missing of the last one is 0. */
function overParts(g: GraphBuilder, x: TypedValue): TypedValue {
  const samples = x.shape[1];
  const missing = typeof samples === 'number' ? (PARTS - (samples % PARTS)) % PARTS : 0;
  const whole = missing > 0 ? g.pad(x, 1, 0, missing) : x;
  return g.reduceSum(g.reshape(whole, [0, PARTS, -1]), { axes: [2], keepDims: false });
}

/** The cosine of two maps of length 1 for each sample: [B, ...] -> [B]. */
export function mapCosine(g: GraphBuilder, a: TypedValue, b: TypedValue): TypedValue {
  return g.reduceSum(g.mul(a, b), { axes: axesOf(a), keepDims: false });
}

function axesOf({ shape }: TypedValue): number[] {
  return shape.slice(1).map((_, i) => i + 1);
}
