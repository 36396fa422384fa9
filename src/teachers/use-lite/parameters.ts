/** The sizes of the Universal Sentence Encoder lite. */
export const USE_LITE = {
  /** 8,000 pieces and two rows that no text uses. */
  vocabularyRows: 8002,
  embeddingWidth: 256,
  hiddenWidth: 512,
  feedForwardWidth: 1536,
  heads: 4,
  /** Longer texts are cut: the encoder has seen no other positions. */
  maxLength: 128,
  outputWidth: 512,
  layerNormEpsilon: 1e-6,
  /** The width of attention's queries, keys and values in each layer. */
  attentionWidths: [256, 512],
} as const;

/** One parameter: its name in our graph, the tensor of the tfjs graph that it is, and its shape. */
export interface ParameterSpec {
  name: string;
  source: string;
  shape: readonly number[];
}

const APPLY = 'module_apply_default/Encoder_en/KonaTransformer/Encode';
const MODULE = 'module/Encoder_en';
/** What graph freezing calls a variable that was stored in one partition. */
const WHOLE = 'ConcatPartitions/concat';

/** Every parameter of the encoder, in the order in which the network uses them. */
export function parameterSpecs(): ParameterSpec[] {
  const { vocabularyRows, embeddingWidth, hiddenWidth, outputWidth } = USE_LITE;
  return [
    {
      name: 'token_embedding/weight',
      source: 'module/Embeddings_en',
      shape: [vocabularyRows, embeddingWidth],
    },
    ...USE_LITE.attentionWidths.flatMap((width, layer) => layerSpecs(layer, width)),
    {
      name: 'sentence/dense/weight',
      source: `${MODULE}/hidden_layers/tanh_layer_0/weights`,
      shape: [hiddenWidth, outputWidth],
    },
    {
      name: 'sentence/dense/bias',
      source: `${MODULE}/hidden_layers/tanh_layer_0/bias`,
      shape: [outputWidth],
    },
  ];
}

function layerSpecs(layer: number, width: number): ParameterSpec[] {
  const { hiddenWidth, feedForwardWidth } = USE_LITE;
  const applied = `${APPLY}/Layer_${layer}/TransformerLayer`;
  const stacked = `${APPLY}/TransformerStack/Layer_${layer}/TransformerLayer`;
  const kernels = `${MODULE}/KonaTransformer/Encode/Layer_${layer}/TransformerLayer/MultiheadAttention`;
  const norm = (owner: string, kind: 'scale' | 'bias') =>
    `${owner}/layer_prepostprocess/layer_norm/layer_norm_${kind}/${WHOLE}`;
  const attention = `${applied}/MultiheadAttention`;
  const specs: [name: string, source: string, shape: number[]][] = [
    ['attention/norm/scale', norm(applied, 'scale'), [width]],
    ['attention/norm/bias', norm(applied, 'bias'), [width]],
    // Queries, keys and values side by side, each with its heads side by side.
    ['attention/qkv/weight', `${kernels}/qkv_transform_single/kernel/part_0`, [width, 3 * width]],
    ['attention/qkv/bias', `${attention}/qkv_transform_single/bias/${WHOLE}`, [3 * width]],
    ['attention/output/weight', `${kernels}/output_transform_single/kernel/part_0`, [width, hiddenWidth]],
    ['attention/output/bias', `${attention}/output_transform_single/bias/${WHOLE}`, [hiddenWidth]],
    ['feed_forward/norm/scale', norm(`${applied}/FFN`, 'scale'), [hiddenWidth]],
    ['feed_forward/norm/bias', norm(`${applied}/FFN`, 'bias'), [hiddenWidth]],
    ['feed_forward/in/weight', `${stacked}/FFN/conv1/Tensordot/Reshape_1`, [hiddenWidth, feedForwardWidth]],
    ['feed_forward/in/bias', `${applied}/FFN/conv1/bias/${WHOLE}`, [feedForwardWidth]],
    ['feed_forward/out/weight', `${stacked}/FFN/conv2/Tensordot/Reshape_1`, [feedForwardWidth, hiddenWidth]],
    ['feed_forward/out/bias', `${applied}/FFN/conv2/bias/${WHOLE}`, [hiddenWidth]],
  ];
  if (width !== hiddenWidth) {
    specs.push(
      ['residual/weight', `${applied}/dense/kernel/${WHOLE}`, [width, hiddenWidth]],
      ['residual/bias', `${applied}/dense/bias/${WHOLE}`, [hiddenWidth]],
    );
  }
  return specs.map(([name, source, shape]) => ({ name: `layer_${layer}/${name}`, source, shape }));
}
