import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { checkHeads } from './attention.ts';
import { defineBackbone, type TextInputs } from './backbone.ts';
import { causalAttention, splitHeads, textSoFar } from './causal-attention.ts';
import { type DecoderContext, type DecoderFeatures, decoderFeatures } from './decoder-features.ts';
import { rmsNorm, withoutBias } from './layers.ts';
import { ParameterMaker } from './parameters.ts';
import { rotated, rotation } from './rotary-positions.ts';
import { freeSize } from './size-options.ts';
import type { Student } from './student.ts';
import { tokenInputs } from './token-inputs.ts';
import { INNER, MOST_HEADS, MOST_INNER, transformerOptions } from './transformer-options.ts';

/** Of every weight at the start; those that end in the residual stream get it divided by sqrt(2 layers), as in GPT-2. */
const DEVIATION = 0.02;
/** The wavelengths of positions grow to 2 pi times it (Su et al., 2021, section 3.3). */
export const ROPE_THETA = 10_000;
/** Added to the mean square of a normalisation. */
export const RMS_EPSILON = 1e-5;

export interface LlamaOptions {
  /** Width of embeddings and layers. */
  readonly width: number;
  /** Attention heads; they divide the width. */
  readonly heads: number;
  /** Heads of keys and values, each for a group of heads; as many as heads when absent. */
  readonly keyHeads?: number | undefined;
  readonly layers: number;
  /** Width inside the feed-forward block; 8/3 of the width, to the next multiple of 8, when absent. */
  readonly feedForward?: number | undefined;
}

/** What a decoder that was made elsewhere may have otherwise. */
export interface LlamaForm {
  /** Of a head; the width divided by the heads when absent. */
  readonly headSize?: number | undefined;
  /** Added to the mean square of a normalisation. */
  readonly epsilon?: number | undefined;
  /** The wavelengths of positions grow to 2 pi times it. */
  readonly theta?: number | undefined;
  /** Whether logits come from the table that embeds tokens (true), or from one of their own, `lm_head/weight`. */
  readonly tied?: boolean | undefined;
}

const options = z
  .object({
    ...transformerOptions({
      ...{ width: 256, layers: 4, kind: 'Decoder' },
      heads: 'Attention heads; they divide the width, into an even number each.',
    }),
    keyHeads: freeSize(
      MOST_HEADS,
      'Heads of keys and values; they divide the heads. As many when absent; fewer make the cache smaller.',
    ),
    feedForward: freeSize(MOST_INNER, `${INNER}; 8/3 of the width, to the next multiple of 8, when absent.`),
  })
  .describe('Llama (Touvron et al., 2023): a decoder with rotary positions, RMSNorm and SwiGLU.');

/**
 * Llama (Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023, section 2.2; arXiv 2302.13971): a decoder with
 * RMSNorm before each block (Zhang and Sennrich, 2019; arXiv 1910.07467), rotary positions (Su et al., 2021; arXiv 2104.09864), SwiGLU
 * (Shazeer, 2020; arXiv 2002.05202), heads of keys and values that serve groups of heads (Ainslie et al., 2023; arXiv 2305.13245), and
 * logits from the embedding table. Values are named as the modules of transformers are (`layers.0/self_attn/q_proj/weight`); weights
 * are [inputs, outputs], and there are no biases.
 *
 * Inputs `input_ids` and `attention_mask`, int64 [batch, sequence]. Taps: `layers.N/output` [batch, sequence, width],
 * `layers.N/self_attn/probabilities` [batch, heads, sequence, sequence].
 *
 * @throws LimbeckError `recipe.invalid` when heads do not divide the width into even numbers, or keyHeads not the heads
 */
export const llama = defineBackbone({
  kind: 'llama',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens', 'causal'],
  build: llamaBody,
});

/** The same with its logits, float32 [batch, sequence, vocabulary], as the output `logits`. */
export function buildLlama(chosen: LlamaOptions, { random, ...inputs }: DecoderContext): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  const { causal } = llamaBody(g, make, chosen, inputs);
  g.output(causal().unembed(), 'logits');
  return make.finish(g.build('llama'));
}

export function llamaBody(
  g: GraphBuilder,
  make: ParameterMaker,
  options: LlamaOptions & LlamaForm,
  { vocabularySize }: TextInputs,
): DecoderFeatures {
  const { width, heads, keyHeads = heads, layers, feedForward = 8 * Math.ceil(width / 3) } = options;
  const { epsilon = RMS_EPSILON, theta = ROPE_THETA, tied = true } = options;
  if (options.headSize === undefined) checkHeads(heads, width);
  const size = options.headSize ?? width / heads;
  checkKeyHeads({ heads, keyHeads, size });
  const { ids, attentionMask } = tokenInputs(g);
  const { positions, bias } = textSoFar(g, ids, attentionMask);
  const turns = rotation(g, positions, size, theta);
  const residual = DEVIATION / Math.sqrt(2 * layers);

  const tokens = make.normal('embed_tokens/weight', [vocabularySize, width], DEVIATION);
  let hidden = g.gather(tokens, ids);
  for (let layer = 0; layer < layers; layer++) {
    hidden = g.scope(`layers.${layer}`, () => {
      const attended = g.add(hidden, attention(norm('input_layernorm', hidden)));
      const inner = norm('post_attention_layernorm', attended);
      return g.identity(g.add(attended, block(inner)), 'output');
    });
  }
  const last = norm('norm', hidden);
  const unembedding = tied ? tokens : make.normal('lm_head/weight', [vocabularySize, width], DEVIATION);
  return decoderFeatures(g, make, { last, tokens, unembedding, attentionMask, width, deviation: DEVIATION });

  function norm(name: string, x: TypedValue): TypedValue {
    return rmsNorm(g, make, name, x, width, epsilon);
  }

  function attention(x: TypedValue): TypedValue {
    return g.scope('self_attn', () => {
      const project = (name: string, count: number) =>
        splitHeads(g, withoutBias(g, make, name, x, [width, count * size], DEVIATION), count, size);
      const query = rotated(g, project('q_proj', heads), turns);
      const keys = g.transpose(rotated(g, project('k_proj', keyHeads), turns), [0, 1, 3, 2]);
      const values = project('v_proj', keyHeads);
      const context = causalAttention(g, { query, keys, values, heads, keyHeads, size, bias });
      return withoutBias(g, make, 'o_proj', context, [heads * size, width], residual);
    });
  }

  function block(x: TypedValue): TypedValue {
    return g.scope('mlp', () => {
      const gate = withoutBias(g, make, 'gate_proj', x, [width, feedForward], DEVIATION);
      const up = withoutBias(g, make, 'up_proj', x, [width, feedForward], DEVIATION);
      const active = g.mul(g.mul(gate, g.sigmoid(gate)), up);
      return withoutBias(g, make, 'down_proj', active, [feedForward, width], residual);
    });
  }
}

function checkKeyHeads({ heads, keyHeads, size }: { heads: number; keyHeads: number; size: number }): void {
  if (heads % keyHeads !== 0) {
    throw new LimbeckError('recipe.invalid', `${keyHeads} heads of keys do not divide ${heads} heads`, {
      where: 'student.keyHeads',
      remedy: 'Choose a number of heads that is a multiple of keyHeads.',
    });
  }
  if (size % 2 === 0) return;
  throw new LimbeckError('recipe.invalid', `a head of ${size} numbers has no pairs that could be turned`, {
    where: 'student.heads',
    remedy: 'Choose a width that is a multiple of twice the heads.',
  });
}
