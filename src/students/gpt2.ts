import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { checkHeads } from './attention.ts';
import { defineBackbone, type TextInputs } from './backbone.ts';
import { causalAttention, splitHeads, splitKeys, textSoFar } from './causal-attention.ts';
import { type DecoderContext, type DecoderFeatures, decoderFeatures } from './decoder-features.ts';
import { layerNorm, linear } from './layers.ts';
import { ParameterMaker } from './parameters.ts';
import { freeSize } from './size-options.ts';
import type { Student } from './student.ts';
import { tokenInputs } from './token-inputs.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

/** Of every weight at the start; those that end in the residual stream get it divided by sqrt(2 layers) (section 2.3). */
const DEVIATION = 0.02;

export interface Gpt2Options {
  /** Width of embeddings and layers. */
  readonly width: number;
  /** Attention heads; they divide the width. */
  readonly heads: number;
  readonly layers: number;
  /** Width inside the feed-forward block; four times the width by default. */
  readonly feedForward?: number | undefined;
}

/** What a decoder that was made elsewhere may have otherwise. */
export interface Gpt2Form {
  /** Added to the variance in normalisations. */
  readonly epsilon?: number | undefined;
  /** Whether logits come from the table that embeds tokens (true), or from one of their own, `lm_head/weight`. */
  readonly tied?: boolean | undefined;
}

const options = z
  .object({
    ...transformerOptions({ width: 256, layers: 4, kind: 'Decoder' }),
    feedForward: freeSize(MOST_INNER, `${INNER}; four times the width when absent.`),
  })
  .describe('GPT-2 (Radford et al., 2019): a decoder, which says after each token what comes next.');

/**
 * GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019): a decoder with normalisation
 * before each block, learned positions, GELU's tanh form, and logits over the vocabulary from the embedding table.
 * Values are named as the modules of transformers are (`h.0/attn/c_attn/weight`); weights are [inputs, outputs].
 *
 * Inputs `input_ids` and `attention_mask`, int64 [batch, sequence]. Taps: `h.N/output` [batch, sequence, width],
 * `h.N/attn/probabilities` [batch, heads, sequence, sequence].
 *
 * @throws LimbeckError `recipe.invalid` when the heads do not divide the width
 */
export const gpt2 = defineBackbone({
  kind: 'gpt2',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens', 'causal'],
  build: gpt2Body,
});

/** The same with its logits, float32 [batch, sequence, vocabulary], as the output `logits`. */
export function buildGpt2(chosen: Gpt2Options, { random, ...inputs }: DecoderContext): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  const { causal } = gpt2Body(g, make, chosen, inputs);
  g.output(causal().unembed(), 'logits');
  return make.finish(g.build('gpt2'));
}

export function gpt2Body(
  g: GraphBuilder,
  make: ParameterMaker,
  { width, heads, layers, feedForward = 4 * width, epsilon = 1e-5, tied = true }: Gpt2Options & Gpt2Form,
  { vocabularySize, maxLength }: TextInputs,
): DecoderFeatures {
  checkHeads(heads, width);
  const { ids, attentionMask } = tokenInputs(g);
  const { positions, bias } = textSoFar(g, ids, attentionMask);
  const residual = DEVIATION / Math.sqrt(2 * layers);

  const tokens = make.normal('wte/weight', [vocabularySize, width], DEVIATION);
  const places = make.normal('wpe/weight', [maxLength, width], DEVIATION);
  let hidden = g.add(g.gather(places, positions), g.gather(tokens, ids));
  for (let layer = 0; layer < layers; layer++) {
    hidden = g.scope(`h.${layer}`, () => {
      const attended = g.add(hidden, attention(norm('ln_1', hidden)));
      return g.identity(g.add(attended, block(norm('ln_2', attended))), 'output');
    });
  }
  const last = norm('ln_f', hidden);
  const unembedding = tied ? tokens : make.normal('lm_head/weight', [vocabularySize, width], DEVIATION);
  return decoderFeatures(g, make, { last, tokens, unembedding, attentionMask, width, deviation: DEVIATION });

  function norm(name: string, x: TypedValue): TypedValue {
    return layerNorm(g, make, name, x, width, epsilon);
  }

  function attention(x: TypedValue): TypedValue {
    return g.scope('attn', () => {
      const projected = linear(g, make, 'c_attn', x, [width, 3 * width], DEVIATION);
      const size = width / heads;
      const [query, key, value] = g.node(
        'Split',
        [projected, g.ints([width, width, width])],
        { axis: 2 },
        { outputs: 3 },
      ) as [TypedValue, TypedValue, TypedValue];
      const context = causalAttention(g, {
        query: splitHeads(g, query, heads, size),
        keys: splitKeys(g, key, heads, size),
        values: splitHeads(g, value, heads, size),
        ...{ heads, keyHeads: heads, size, bias },
      });
      return linear(g, make, 'c_proj', context, [width, width], residual);
    });
  }

  function block(x: TypedValue): TypedValue {
    return g.scope('mlp', () => {
      const inner = linear(g, make, 'c_fc', x, [width, feedForward], DEVIATION);
      const active = g.op('Gelu', [inner], { approximate: 'tanh' });
      return linear(g, make, 'c_proj', active, [feedForward, width], residual);
    });
  }
}
