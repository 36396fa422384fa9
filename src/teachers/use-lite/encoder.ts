import type { Graph, TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import { maskedMean } from '../masked-mean.ts';
import { ATTENTION_MASK, INPUT_IDS, SENTENCE_EMBEDDING } from '../teacher-source.ts';
import { USE_LITE } from './parameters.ts';
import type { UseLiteWeights } from './weights.ts';

/** What attention adds to the score of a padding token: its probability then is exactly 0 in float32. */
const MASKED = -1e9;

/**
 * The Universal Sentence Encoder lite (Cer et al. 2018, https://arxiv.org/abs/1803.11175; a transformer after
 * Vaswani et al. 2017 with normalisation before each part) as an ONNX graph of standard operators.
 *
 * Inputs `input_ids` and `attention_mask`, int64 [batch, sequence]; padding (mask 0) comes after the text. Output
 * `sentence_embedding`, float32 [batch, 512] of length 1. ONNX Runtime refuses more than 128 tokens that are not
 * padding. Parameters are initializers under the names of `parameters.ts`. For taps: `layer_0/output`,
 * `layer_1/output` [batch, sequence, 512], `layer_{0,1}/attention/probabilities` [batch, 4, sequence, sequence].
 */
export function buildUseLiteEncoder(weights: UseLiteWeights): Graph {
  const g = new GraphBuilder();
  const ids = g.input(INPUT_IDS, 'int64', ['batch', 'sequence']);
  const mask = g.input(ATTENTION_MASK, 'int64', ['batch', 'sequence']);
  const weight = (name: string) => {
    const content = weights.get(name);
    if (!content) throw new Error(`the encoder's weights lack ${name}`);
    return content;
  };
  const network: Network = { g, parameter: (name) => g.initializer(name, weight(name)) };

  const present = g.cast(mask, 'float32');
  const penalty = g.unsqueeze(g.mul(g.sub(1, present), MASKED), [1, 2]);
  let hidden = embedTokens(g, doubled(weight('token_embedding/weight')), ids, mask);
  for (let layer = 0; layer < USE_LITE.attentionWidths.length; layer++) {
    hidden = transformerLayer(network, `layer_${layer}`, hidden, penalty);
  }
  g.output(sentenceEmbedding(network, hidden, present));
  return g.build('universal-sentence-encoder-lite');
}

interface Network {
  g: GraphBuilder;
  parameter: (name: string) => TypedValue;
}

/**
 * The network adds the embedding twice (once as it is, once with the timing signal); the table holds it doubled
 * instead, which is exact in floating point.
 */
function doubled({ dims, data }: Tensor): Tensor {
  return tensor(
    'float32',
    dims,
    (data as Float32Array).map((x) => 2 * x),
  );
}

function embedTokens(g: GraphBuilder, table: Tensor, ids: TypedValue, mask: TypedValue): TypedValue {
  const tokens = g.gather(g.initializer('token_embedding/weight', table), ids);
  // Counting the tokens gives positions for any sequence length, without reading the length from a shape.
  const positions = g.sub(g.op('CumSum', [mask, g.scalar(1, 'int64')]), 1);
  const timing = g.gather(g.initializer('timing_signal', timingSignal()), positions);
  return g.op('Add', [tokens, timing], {}, { name: 'embedding/output' });
}

/**
 * Sines and cosines of the positions, [128, 256]: wavelengths from 2 pi to 10,000 * 2 pi, geometrically; sines in the
 * first half of the columns, cosines in the second.
 */
export function timingSignal(): Tensor {
  const { maxLength, embeddingWidth } = USE_LITE;
  const half = embeddingWidth / 2;
  const dims = [maxLength, embeddingWidth];
  const data = new Float32Array(elementCount(dims));
  for (let position = 0; position < maxLength; position++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * Math.fround(10_000 ** (-i / (half - 1))));
      data[position * embeddingWidth + i] = Math.sin(angle);
      data[position * embeddingWidth + half + i] = Math.cos(angle);
    }
  }
  return tensor('float32', dims, data);
}

function transformerLayer(n: Network, name: string, input: TypedValue, penalty: TypedValue): TypedValue {
  const { g } = n;
  const attended = selfAttention(n, `${name}/attention`, normalized(n, `${name}/attention`, input), penalty);
  // Only the first layer changes the width, 256 to 512, and needs a projection beside its attention.
  const widens = input.shape[2] !== attended.shape[2];
  const residual = widens ? dense(n, `${name}/residual`, input) : input;
  const middle = g.op('Add', [attended, residual], {}, { name: `${name}/attention_output` });
  const inner = g.relu(dense(n, `${name}/feed_forward/in`, normalized(n, `${name}/feed_forward`, middle)));
  const fed = dense(n, `${name}/feed_forward/out`, inner);
  return g.op('Add', [fed, middle], {}, { name: `${name}/output` });
}

function selfAttention(n: Network, name: string, input: TypedValue, penalty: TypedValue): TypedValue {
  const { g } = n;
  const width = input.shape[2] as number;
  const { heads } = USE_LITE;
  const headWidth = width / heads;
  const qkv = dense(n, `${name}/qkv`, input);
  // [batch, sequence, 3 * heads, width of a head]: one transposition and one split serve all three.
  const byHead = g.transpose(g.reshape(qkv, [0, 0, 3 * heads, headWidth]), [0, 2, 1, 3]);
  const [query, key, value] = g.node(
    'Split',
    [byHead, g.ints([heads, heads, heads])],
    { axis: 1 },
    { outputs: 3, outputNames: ['query', 'key', 'value'].map((part) => `${name}/${part}`) },
  );
  const scores = g.fusedMatMul(query, key, { transB: true, alpha: 1 / Math.sqrt(headWidth) });
  const probabilities = g.op(
    'Softmax',
    [g.add(scores, penalty)],
    { axis: -1 },
    { name: `${name}/probabilities` },
  );
  const context = g.transpose(g.matMul(probabilities, value), [0, 2, 1, 3]);
  return dense(n, `${name}/output`, g.reshape(context, [0, 0, width]));
}

/** The mean over the tokens, a layer with tanh, scaled to length 1. */
function sentenceEmbedding(n: Network, hidden: TypedValue, present: TypedValue): TypedValue {
  const { g } = n;
  const mean = maskedMean(g, hidden, present, 'sentence/mean');
  const features = g.tanh(
    g.gemm(mean, n.parameter('sentence/dense/weight'), n.parameter('sentence/dense/bias')),
  );
  const length = g.sqrt(g.max(g.reduceSum(g.square(features), { axes: [1] }), 1e-12));
  return g.op('Div', [features, length], {}, { name: SENTENCE_EMBEDDING });
}

function normalized({ g, parameter }: Network, name: string, x: TypedValue): TypedValue {
  const [scale, bias] = [parameter(`${name}/norm/scale`), parameter(`${name}/norm/bias`)];
  return g.layerNormalization(x, scale, bias, USE_LITE.layerNormEpsilon);
}

function dense({ g, parameter }: Network, name: string, x: TypedValue): TypedValue {
  return g.add(g.matMul(x, parameter(`${name}/weight`)), parameter(`${name}/bias`));
}
