import type { Graph, Node } from '../onnx/graph.ts';
import { toNumbers } from '../onnx/tensor.ts';
import { transformerSizes } from './transformer-sizes.ts';

/** What `config.json` says of a `wav2vec2`: the names of transformers' Wav2Vec2Config. */
export function wav2vec2Sizes(graph: Graph): Record<string, unknown> {
  const { layers, heads, inner, size } = transformerSizes(graph);
  const convolutions = convolutionsOf(graph);
  const width = size('encoder/layer_norm/scale', 0) as number;
  const perGroup = size('encoder/pos_conv_embed/conv/weight', 1) as number;
  return {
    model_type: 'wav2vec2',
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: inner,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-5,
    feat_extract_norm: 'group',
    feat_extract_activation: 'gelu',
    conv_bias: false,
    num_feat_extract_layers: convolutions.length,
    conv_dim: convolutions.map(({ channels }) => channels),
    conv_kernel: convolutions.map(({ rows }, i) => rows / (convolutions[i - 1]?.channels ?? 1)),
    conv_stride: convolutions.map(({ stride }) => stride),
    num_conv_pos_embeddings: size('encoder/pos_conv_embed/conv/weight', 2),
    num_conv_pos_embedding_groups: width / perGroup,
    do_stable_layer_norm: false,
    classifier_proj_size: size('projector/weight', 1),
  };
}

interface Convolution {
  /** Of the weight: kernel * inputs. */
  readonly rows: number;
  readonly channels: number;
  readonly stride: number;
}

/** The convolutions over the waveform, in order: each a product of a weight with slices that step by the stride. */
function convolutionsOf({ nodes, initializers }: Graph): Convolution[] {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const sliceBefore = (node: Node | undefined): Node | undefined =>
    node === undefined || node.opType === 'Slice' ? node : sliceBefore(producers.get(node.inputs[0] ?? null));
  return nodes.flatMap((node) => {
    const [x, weight] = node.inputs;
    if (!x || !weight || !/(?:^|\/)feature_extractor\/conv_layers\.\d+\/conv\/weight$/.test(weight.name))
      return [];
    const [rows = 0, channels = 0] = initializers.get(weight)?.dims ?? [];
    const steps = sliceBefore(producers.get(x))?.inputs[4];
    const step = steps && initializers.get(steps);
    return [{ rows, channels, stride: step ? (toNumbers(step)[0] as number) : 1 }];
  });
}
