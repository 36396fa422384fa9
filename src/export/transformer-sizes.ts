import { describeModel } from '../onnx/anatomy/describe-model.ts';
import { feedForwardWidth } from '../onnx/anatomy/feed-forward-width.ts';
import { type Graph, intsAttribute } from '../onnx/graph.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';
import { towerOf } from './clip-graphs.ts';
import { weightSizes } from './weight-sizes.ts';

/** Sizes of a transformer, read from its graph: a student may have been pruned. */
export interface TransformerSizes {
  readonly layers: number;
  /** Undefined where layers have different numbers of them. */
  readonly heads: number | undefined;
  /** Numbers in a hidden state. */
  readonly width: number | undefined;
  /** Numbers inside the feed-forward blocks; undefined where layers have different numbers of them. */
  readonly inner: number | undefined;
  /** A size of a weight, by its name or the end of it; undefined where there is none. */
  size(name: string, axis: number): number | undefined;
}

export function transformerSizes(graph: Graph): TransformerSizes {
  const { family, layers } = describeModel(graph);
  const attending = family === 'transformer' ? layers : [];
  const hidden = layers.flatMap((layer) => layer.hidden ?? []);
  return {
    layers: layers.length,
    heads: same(attending.map(({ attention }) => attention?.heads)),
    width: same(hidden.map(({ width }) => width)),
    inner: same(hidden.map(({ name }) => feedForwardWidth(graph, name))),
    size: (name, axis) => weightSizes(graph, name)?.[axis],
  };
}

function same(sizes: readonly (number | undefined)[]): number | undefined {
  return new Set(sizes).size === 1 ? sizes[0] : undefined;
}

/** What `config.json` says of a transformer that was given, by the form of its graph alone; undefined of any other network. */
export function givenSizes(graph: Graph): Record<string, unknown> | undefined {
  const { layers, heads, width, inner } = transformerSizes(graph);
  if (heads === undefined || width === undefined) return undefined;
  return {
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: inner,
    hidden_act: activationOf(graph),
  };
}

/** As transformers calls it; undefined where the operators do not tell. */
function activationOf({ nodes }: Graph): string | undefined {
  const has = (...types: string[]) => nodes.some(({ opType }) => types.includes(opType));
  if (has('Gelu', 'Erf')) return 'gelu';
  if (has('Sigmoid', 'QuickGelu')) return 'quick_gelu';
  return has('Relu') ? 'relu' : undefined;
}

/** Pixels along a side of the patches that an image is cut into: of a convolution that steps by its own kernel. */
export function patchSize({ nodes, initializers }: Graph): number | undefined {
  const first = nodes.find(({ opType }) => opType === 'Conv');
  const weight = first?.inputs[1];
  const dims = weight ? initializers.get(weight)?.dims : undefined;
  const step = first && intsAttribute(first, 'strides')?.[0];
  return dims?.length === 4 && dims[2] === step && dims[3] === step && Number(step) > 1 ? step : undefined;
}

/** What `config.json` says of a network of images that was given: of a vision transformer its sizes; undefined of any other. */
export function givenVitSizes(graph: Graph): Record<string, unknown> | undefined {
  const sizes = givenSizes(graph);
  const patch = patchSize(graph);
  return sizes && patch !== undefined ? { model_type: 'vit', ...sizes, patch_size: patch } : undefined;
}

/** What `config.json` says of a `vit`. */
export function vitSizes(graph: Graph): Record<string, unknown> {
  const { layers, heads, inner, size } = transformerSizes(graph);
  const projection = 'embeddings/patch_embeddings/projection/weight';
  return {
    model_type: 'vit',
    hidden_size: size(projection, 0),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: inner,
    patch_size: size(projection, 2),
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    qkv_bias: true,
  };
}

/** What `config.json` says of both towers of a `clip`. */
export function clipSizes(graph: Graph): Record<'text' | 'image', Record<string, unknown>> {
  const tower = (output: string) => {
    const { layers, heads, inner, size } = transformerSizes(towerOf(graph, output));
    return {
      size,
      own: {
        hidden_size: size('encoder/layers.0/layer_norm1/scale', 0),
        intermediate_size: inner,
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

/** What `config.json` says of both towers of any other dual encoder, as far as they are transformers. */
export function givenTowerSizes(graph: Graph): Record<'text' | 'image', Record<string, unknown>> {
  const image = towerOf(graph, IMAGE_EMBEDS);
  const seen = givenSizes(image);
  return {
    text: givenSizes(towerOf(graph, TEXT_EMBEDS)) ?? {},
    image: seen ? { ...seen, patch_size: patchSize(image) } : {},
  };
}
