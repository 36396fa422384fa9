import { describeModel } from '../onnx/anatomy/describe-model.ts';
import type { Graph } from '../onnx/graph.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';
import { towerOf } from './clip-graphs.ts';
import { weightSizes } from './weight-sizes.ts';

/** Sizes of a transformer, read from its graph: a student may have been pruned. */
export interface TransformerSizes {
  readonly layers: number;
  /** Undefined where layers have different numbers of them. */
  readonly heads: number | undefined;
  /** A size of a weight, by its name or the end of it; undefined where there is none. */
  size(name: string, axis: number): number | undefined;
}

export function transformerSizes(graph: Graph): TransformerSizes {
  const { layers } = describeModel(graph);
  const heads = new Set(layers.map(({ attention }) => attention?.heads));
  return {
    layers: layers.length,
    heads: heads.size === 1 ? [...heads][0] : undefined,
    size: (name, axis) => weightSizes(graph, name)?.[axis],
  };
}

/** What `config.json` says of a `vit`. */
export function vitSizes(graph: Graph): Record<string, unknown> {
  const { layers, heads, size } = transformerSizes(graph);
  const projection = 'embeddings/patch_embeddings/projection/weight';
  return {
    model_type: 'vit',
    hidden_size: size(projection, 0),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: size('encoder/layer.0/intermediate/dense/weight', 1),
    patch_size: size(projection, 2),
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    qkv_bias: true,
  };
}

/** What `config.json` says of both towers of a `clip`. */
export function clipSizes(graph: Graph): Record<'text' | 'image', Record<string, unknown>> {
  const tower = (output: string) => {
    const { layers, heads, size } = transformerSizes(towerOf(graph, output));
    return {
      size,
      own: {
        hidden_size: size('encoder/layers.0/layer_norm1/scale', 0),
        intermediate_size: size('encoder/layers.0/mlp/fc1/weight', 1),
        num_hidden_layers: layers,
        num_attention_heads: heads,
        hidden_act: 'quick_gelu',
        layer_norm_eps: 1e-5,
      },
    };
  };
  const image = tower(IMAGE_EMBEDS);
  return {
    text: tower(TEXT_EMBEDS).own,
    image: { ...image.own, patch_size: image.size('embeddings/patch_embedding/weight', 2) },
  };
}
