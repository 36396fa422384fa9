import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { tensor } from '../onnx/tensor.ts';

/**
 * Which features a text has: a row for each token (its id), then `buckets` rows that all longer n-grams share by their
 * hash, as in fastText (Joulin et al., "Bag of Tricks for Efficient Text Classification", 2017).
 */
export interface NgramSpace {
  readonly vocabularySize: number;
  /** Tokens in the longest n-gram; 1 for none but single tokens. */
  readonly longest: number;
  /** Rows that n-grams of two and more tokens share. */
  readonly buckets: number;
}

/** 2^31 - 1, a prime: a product of it with an id below 2^32 is exact in int64, whatever engine multiplies. */
const PRIME = 2_147_483_647;
/** One factor for each token of an n-gram (some primes far from a ratio of small numbers), one addend for each length. */
const FACTORS = [1_640_531_527, 805_306_457, 1_402_024_253, 201_326_611, 1_879_048_201];
export const LONGEST_NGRAM = FACTORS.length;

/** The rows of a space. */
export function featureCount({ vocabularySize, longest, buckets }: NgramSpace): number {
  return vocabularySize + (longest > 1 ? buckets : 0);
}

/**
 * The features of a text, in the order of `ngramFeatures`: those of its tokens, then of its pairs, and so on.
 *
 * hash(t_0 ... t_n-1) = (n + sum over k of (t_k + 1) factor_k) mod (2^31 - 1) mod buckets.
 */
export function featuresOf(ids: ArrayLike<number>, space: NgramSpace): number[] {
  const features = Array.from(ids);
  for (let length = 2; length <= space.longest; length++) {
    for (let first = 0; first + length <= ids.length; first++) {
      let hash = length;
      // Of ids up to 2^22 the products are exact in float64 too; the remainders keep their sum small.
      for (let k = 0; k < length; k++) {
        hash += (((ids[first + k] as number) + 1) * (FACTORS[k] as number)) % PRIME;
      }
      features.push(space.vocabularySize + ((hash % PRIME) % space.buckets));
    }
  }
  return features;
}

/** The features of texts inside a graph. */
export interface FeatureValues {
  /** int64 [B, longest * T]: rows of the table. Where a token or n-gram is missing, some row. */
  readonly features: TypedValue;
  /** float32 [B, longest * T]: 1 for features that are there, 0 elsewhere. */
  readonly present: TypedValue;
}

/**
 * Computes `featuresOf` inside a graph, with integer operators that every engine has exact. Only tokens that the mask
 * keeps make n-grams, so padding on either side changes nothing.
 *
 * @param ids int64 [B, T]
 * @param attentionMask int64 [B, T]
 */
export function ngramFeatures(
  g: GraphBuilder,
  { ids, attentionMask }: { readonly ids: TypedValue; readonly attentionMask: TypedValue },
  { vocabularySize, longest, buckets }: NgramSpace,
): FeatureValues {
  const features = [ids];
  const present = [attentionMask];
  for (let length = 2; length <= longest; length++) {
    // Zeros after the end: an n-gram that reaches beyond it has a token without mask, so it is missing.
    const tokens = g.pad(g.add(ids, 1), 1, 0, length - 1);
    const mask = g.pad(attentionMask, 1, 0, length - 1);
    let hash: TypedValue = g.scalar(length, 'int64');
    let kept: TypedValue | undefined;
    for (let k = 0; k < length; k++) {
      const end = k === length - 1 ? END : k - (length - 1);
      hash = g.add(g.mul(g.slice(tokens, 1, k, end), FACTORS[k] as number), hash);
      const there = g.slice(mask, 1, k, end);
      kept = kept ? g.mul(kept, there) : there;
    }
    const bucket = g.op('Mod', [g.op('Mod', [hash, g.scalar(PRIME, 'int64')]), g.scalar(buckets, 'int64')]);
    features.push(g.add(bucket, vocabularySize));
    present.push(kept as TypedValue);
  }
  const joined = (values: TypedValue[]) => (values.length > 1 ? g.concat(values, 1) : values[0]!);
  return { features: joined(features), present: g.cast(joined(present), 'float32') };
}

/**
 * How much each feature counts: ln((1 + texts) / (1 + texts with it)) + 1, the smoothed inverse document frequency
 * (Sparck Jones, 1972; as scikit-learn's TfidfTransformer has it). float32 [features]; all 1 without texts.
 */
export function inverseDocumentFrequencies(
  texts: Iterable<ArrayLike<number>>,
  space: NgramSpace,
): Float32Array {
  const counts = new Uint32Array(featureCount(space));
  const lastText = new Int32Array(counts.length).fill(-1);
  let text = 0;
  for (const ids of texts) {
    for (const feature of featuresOf(ids, space)) {
      if (lastText[feature] === text) continue;
      lastText[feature] = text;
      counts[feature]!++;
    }
    text++;
  }
  return Float32Array.from(counts, (count) => Math.log((1 + text) / (1 + count)) + 1);
}

/**
 * Looks up constants of features, kept in 8 bits: a weight needs no more, and the file has a byte for each row.
 *
 * @param weights positive, float32 [rows]
 * @param features int64 of any shape
 */
export function lookUpWeights(g: GraphBuilder, weights: Float32Array, features: TypedValue): TypedValue {
  const step = weights.reduce((most, weight) => Math.max(most, weight), 0) / 255 || 1;
  // Nothing is rounded to 0: every feature counts.
  const levels = Uint8Array.from(weights, (weight) => Math.max(1, Math.round(weight / step)));
  const table = g.initializer('weight_levels', tensor('uint8', [levels.length], levels));
  return g.mul(g.cast(g.gather(table, features), 'float32'), step);
}

const END = 2 ** 31 - 1;
