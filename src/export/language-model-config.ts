import { LimbeckError } from '../errors.ts';
import type { Dim, Graph, Value } from '../onnx/graph.ts';
import { RMS_EPSILON, ROPE_THETA } from '../students/llama.ts';
import { weightSizes } from './weight-sizes.ts';

/** What a `config.json` of transformers says of a decoder besides its sizes. */
export interface LanguageModelFacts {
  readonly vocabularySize: number;
  /** Tokens that it has positions for. */
  readonly maxLength: number;
  /** The token that texts begin with; the one that ends them where there is none. */
  readonly beginId: number | undefined;
  readonly endIds: readonly number[];
  readonly padTokenId: number;
  /** What it has otherwise than students of its kind. */
  readonly form?: { readonly epsilon: number; readonly theta?: number | undefined } | undefined;
}

/** The decoders that leave as an architecture of transformers, by their kind in a recipe. */
export type DecoderArchitecture = 'gpt2' | 'llama';

/** Sizes of a decoder, read from its weights: a student may have been pruned. */
interface DecoderSizes {
  readonly layers: number;
  /** Heads of keys and values, and the width of each. */
  readonly keyHeads: number;
  readonly headSize: number;
  weight(name: string): readonly number[];
}

const CONFIGS: Readonly<
  Record<DecoderArchitecture, (sizes: DecoderSizes, facts: LanguageModelFacts) => Record<string, unknown>>
> = {
  gpt2({ layers, keyHeads, weight }, { maxLength, form }) {
    const [width] = weight('ln_f/scale');
    return {
      model_type: 'gpt2',
      architectures: ['GPT2LMHeadModel'],
      n_layer: layers,
      n_head: keyHeads,
      n_embd: width,
      n_inner: weight('h.0/mlp/c_fc/weight')[1],
      n_positions: maxLength,
      n_ctx: maxLength,
      activation_function: 'gelu_new',
      layer_norm_epsilon: form?.epsilon ?? 1e-5,
    };
  },
  llama({ layers, keyHeads, headSize, weight }, { maxLength, form }) {
    const [, queries] = weight('layers.0/self_attn/q_proj/weight') as readonly [number, number];
    return {
      model_type: 'llama',
      architectures: ['LlamaForCausalLM'],
      hidden_size: weight('norm/weight')[0],
      intermediate_size: weight('layers.0/mlp/gate_proj/weight')[1],
      num_hidden_layers: layers,
      num_attention_heads: queries / headSize,
      num_key_value_heads: keyHeads,
      head_dim: headSize,
      max_position_embeddings: maxLength,
      hidden_act: 'silu',
      rms_norm_eps: form?.epsilon ?? RMS_EPSILON,
      rope_theta: form?.theta ?? ROPE_THETA,
      attention_bias: false,
      mlp_bias: false,
    };
  },
};

/**
 * The content of `config.json`.
 *
 * @param graph the decoder in float32
 * @param cached the same with its cache
 */
export function languageModelConfig(
  architecture: DecoderArchitecture,
  { graph, cached }: { readonly graph: Graph; readonly cached: Graph },
  facts: LanguageModelFacts,
): Record<string, unknown> {
  const keys = cached.inputs.filter(({ name }) => /^past_key_values\.\d+\.key$/.test(name));
  const [, keyHeads, , headSize] = (keys[0] as Value).shape as readonly Dim[] as readonly number[];
  requireAlike(keys, graph.name);
  const sizes = {
    layers: keys.length,
    keyHeads: keyHeads as number,
    headSize: headSize as number,
    weight(wanted: string) {
      const found = weightSizes(graph, wanted);
      if (!found) throw new Error(`the decoder has no weight ${wanted}`);
      return found;
    },
  };
  return {
    ...CONFIGS[architecture](sizes, facts),
    vocab_size: facts.vocabularySize,
    tie_word_embeddings: weightSizes(graph, 'lm_head/weight') === undefined,
    use_cache: true,
    ...tokenIds(facts),
    limbeck: { architecture },
  };
}

/** transformers.js gives all layers an empty cache of one size. */
function requireAlike(keys: readonly Value[], name: string): void {
  const told = keys.map(({ shape }) => `${shape?.[1]} heads of ${shape?.[3]}`);
  if (new Set(told).size === 1) return;
  throw new LimbeckError(
    'export.no-cache',
    'the layers keep different numbers of heads, and readers know one for all',
    {
      where: `${name}: ${told.join('; ')}`,
      remedy: 'Prune the same part of each layer (scope: layer), or leave attention out (skip).',
    },
  );
}

/** The tokens around texts, as `config.json` and `generation_config.json` say them. */
export function tokenIds({ beginId, endIds, padTokenId }: LanguageModelFacts): Record<string, unknown> {
  const [end] = endIds;
  return {
    ...(end !== undefined && {
      bos_token_id: beginId ?? end,
      eos_token_id: endIds.length > 1 ? endIds : end,
    }),
    pad_token_id: padTokenId,
  };
}
