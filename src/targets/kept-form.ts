import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** What is kept of a teacher's answers where they are too large to be kept whole: a part of what they say for each token. */
export interface KeptForm {
  /** All that the kept values depend on besides the answers, for people and for the store: `the 32 likeliest tokens`. */
  readonly title: string;
  /** Numbers for each token. */
  readonly width: number;
  /**
   * What they are. Ids, then their weights, those of weight 0 last: probabilities of the likeliest tokens (`likeliest`), or estimates
   * whose mean over draws they are (`sampled`). Probabilities without ids (`sorted`), likelihoods of stretches of text (`spans`).
   */
  readonly kind: 'likeliest' | 'sampled' | 'sorted' | 'spans';
  /** How they lie in the store. */
  readonly encoding: 'sparse' | 'float16-trimmed';
  /**
   * Whether they belong to the student's tokens, whatever the teacher's are: then `places` says which of the teacher's belong to
   * them (`PLACES`).
   */
  readonly placed: boolean;
  /**
   * float32 [batch, sequence, width].
   *
   * @param logits float32 [batch, sequence, vocabulary]
   * @param ids int64 [batch, sequence]: the tokens that the teacher read
   * @param mask int64 [batch, sequence]: 1 for tokens
   * @param places int64 [batch, the student's sequence, PLACES], where `placed`
   */
  build(
    g: GraphBuilder,
    logits: TypedValue,
    ids: TypedValue,
    mask: TypedValue | undefined,
    places?: TypedValue,
  ): TypedValue;
}

/** The k likeliest tokens and their probabilities; what is left of 1 is that of all others together. */
export function likeliestTokens(k: number): KeptForm {
  return {
    title: `the ${k} likeliest tokens`,
    width: 2 * k,
    kind: 'likeliest',
    encoding: 'sparse',
    placed: false,
    build(g, logits) {
      const [probabilities, ids] = topOf(g, g.softmax(logits), k);
      return g.concat([ids, probabilities], 2);
    },
  };
}

/**
 * A draw of tokens by a proposal q, proportional to p^power, with the weights p(v) n(v) / (N q(v)), where n(v) of N draws fell on
 * v: the mean over draws of any sum over the vocabulary that p weighs is the sum itself, whatever the student is (Anshumann et
 * al., "Sparse Logit Sampling: Accelerating Knowledge Distillation in LLMs", arXiv 2503.16870, section 4).
 *
 * Draws are systematic: one number u in [0, 1) for each token, and n(v) is how many of u, u + 1, u + 2, ... lie in the stretch of
 * N cumulated q that belongs to v. Every n(v) has the mean N q(v) as in independent draws, and differs from it by less than 1.
 * The number comes from the tokens read so far, so that an answer is the same however often it is asked for.
 */
export function sampledTokens(draws: number, power = 1): KeptForm {
  return {
    title: `${draws} tokens drawn by p^${power}`,
    width: 2 * draws,
    kind: 'sampled',
    encoding: 'sparse',
    placed: false,
    build(g, logits, ids, mask) {
      const proposal = g.softmax(power === 1 ? logits : g.mul(logits, power));
      const cumulated = g.op('CumSum', [g.mul(proposal, draws), g.scalar(2, 'int64')]);
      const passed = g.op('Floor', [g.add(cumulated, g.unsqueeze(uniformOfPrefix(g, ids, mask), [2]))]);
      const before = g.slice(g.pad(passed, 2, 1, 0), 2, 0, -1);
      const counts = g.sub(passed, before);
      const [drawn, chosen, places] = topOf(g, counts, draws);
      const share = g.div(drawn, draws);
      if (power === 1) return g.concat([chosen, share], 2);
      const ratio = g.exp(
        g.sub(
          g.gatherElements(g.logSoftmax(logits), places, 2),
          g.gatherElements(g.logSoftmax(g.mul(logits, power)), places, 2),
        ),
      );
      return g.concat([chosen, g.mul(share, ratio)], 2);
    },
  };
}

/**
 * The k largest along the last of three axes, from the largest on, and where they are: as float32, and int64. Zeros behind all of a
 * vocabulary with fewer.
 */
function topOf(g: GraphBuilder, values: TypedValue, k: number): [TypedValue, TypedValue, TypedValue] {
  const vocabulary = values.shape[2];
  const most = typeof vocabulary === 'number' ? Math.min(k, vocabulary) : k;
  const top = g.node('TopK', [values, g.ints([most])], { axis: -1 }, { outputs: 2 }) as TypedValue[];
  const [largest, places] = (most < k ? top.map((one) => g.pad(one, 2, 0, k - most)) : top) as [
    TypedValue,
    TypedValue,
  ];
  return [largest, g.cast(places, 'float32'), places];
}

/** A prime, below which hashes are: 2^31 - 1. */
const PRIME = 2_147_483_647;
/** As many numbers float32 has between 0 and 1, all of them exactly. */
const GRID = 2 ** 24;

/**
 * A number in [0, 1) for each token, float32 [batch, sequence], that looks random and depends on the tokens up to it alone: not
 * on padding, nor on what else is in the batch. A sum of hashes of places and ids, hashed again by steps of Lehmer's generator.
 */
export function uniformOfPrefix(g: GraphBuilder, ids: TypedValue, mask: TypedValue | undefined): TypedValue {
  const int64 = (value: number) => g.scalar(value, 'int64');
  const mod = (x: TypedValue, by = PRIME) => g.op('Mod', [x, int64(by)]);
  const step = (x: TypedValue, factor: number) => mod(g.mul(x, int64(factor)));
  const ones = mask ?? g.add(g.mul(ids, int64(0)), int64(1));
  const places = g.op('CumSum', [ones, g.scalar(1, 'int64')]);
  // 48271 and 69621 are multipliers of Lehmer's generator that were found good (Park and Miller, 1988; Fishman and Moore, 1986).
  const mixed = mod(g.add(step(places, 69_621), step(g.add(ids, int64(1)), 48_271)));
  const hashed = step(mod(g.mul(mixed, mixed)), 48_271);
  const summed = mod(g.op('CumSum', [g.mul(hashed, ones), g.scalar(1, 'int64')]));
  const last = step(mod(g.mul(summed, summed)), 69_621);
  return g.div(g.cast(mod(last, GRID), 'float32'), GRID);
}
