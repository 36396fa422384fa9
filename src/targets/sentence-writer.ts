import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Features, ParameterMaking } from './features.ts';
import { PAD } from './sentence-words.ts';

/**
 * What the values of a writer are called where it is taken apart for shipping: what it keeps of the image is computed once, and
 * keys and values of earlier words are kept (`splitWriter`).
 */
export const WRITER_SEAMS = {
  imageKeys: 'image_keys',
  imageValues: 'image_values',
  positions: 'word_positions',
  bias: 'word_bias',
  keys: 'word_keys',
  values: 'word_values',
  logits: 'word_logits',
} as const;

export interface WriterOptions {
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
}

/** Of every weight at the start, as GPT-2 has it. */
const DEVIATION = 0.02;
const HIDDEN_SCORE = -1e9;

/** The places 0 to T - 1, int64 [T], from `before` on. */
export function placesFrom(g: GraphBuilder, ids: TypedValue, before?: TypedValue): TypedValue {
  const length = g.gather(g.shapeOf(ids), g.scalar(1, 'int64'));
  const places = g.op('Range', [g.scalar(0, 'int64'), length, g.scalar(1, 'int64')]);
  return before ? g.add(places, before) : places;
}

/** Added to scores of attention, float32 [Q, T]: hides what comes later than the words that look. */
export function laterHidden(g: GraphBuilder, places: TypedValue, asking: TypedValue): TypedValue {
  const isPast = g.lessOrEqual(g.unsqueeze(places, [0]), g.unsqueeze(asking, [1]));
  return g.where(isPast, g.scalar(0), g.scalar(HIDDEN_SCORE));
}

/**
 * A decoder that writes a sentence about an image: each word looks at those before it, and at all places of the backbone's map
 * (Vaswani et al., "Attention Is All You Need", 2017, section 3; normalisation before each block, Xiong et al., 2020,
 * arXiv 2002.04745). Keys and values of the image are of no word, so that they are made once for all of them.
 *
 * @param words int64 [batch, length]: the word before each one that is asked for; 0 behind the end
 * @returns logits of the words that come, float32 [batch, length, outputs]; zeros behind the end
 */
export function writtenLogits(
  g: GraphBuilder,
  make: ParameterMaking,
  { value: map, width: channels }: Pick<Features, 'value' | 'width'>,
  words: TypedValue,
  { width, heads, layers, outputs }: WriterOptions & { readonly outputs: number },
): TypedValue {
  if (!map) throw new Error('features without values have no places to look at');
  const [, , rows, columns] = map.shape as number[];
  const places = (rows as number) * (columns as number);
  const length = words.shape[1] as number;
  const size = width / heads;
  const residual = DEVIATION / Math.sqrt(3 * layers);

  const seen = g.scope('image', () => {
    const flat = g.transpose(g.reshape(map, [0, channels, places]), [0, 2, 1]);
    const where = make.normal('places', [places, width], DEVIATION);
    return norm('norm', g.add(linear('input', flat, channels, width, 1 / Math.sqrt(channels)), where));
  });
  const positions = g.identity(placesFrom(g, words), WRITER_SEAMS.positions);
  const bias = g.identity(laterHidden(g, placesFrom(g, words), positions), WRITER_SEAMS.bias);

  const table = make.normal('words', [outputs, width], DEVIATION);
  const order = make.normal('positions', [length, width], DEVIATION);
  let hidden = g.add(g.gather(table, words), g.gather(order, positions));
  for (let layer = 0; layer < layers; layer++) {
    hidden = g.scope(`layer_${layer}`, () => {
      let x = g.add(
        hidden,
        g.scope('words', () => lookBack(norm('norm', hidden))),
      );
      x = g.add(
        x,
        g.scope('look', () => lookAtImage(norm('norm', x))),
      );
      return g.add(
        x,
        g.scope('mlp', () => block(norm('norm', x))),
      );
    });
  }
  const logits = linear('output', norm('norm', hidden), width, outputs, 1 / Math.sqrt(width));
  const isAsked = g.cast(g.greaterOrEqual(words, g.scalar(PAD + 1, 'int64')), 'float32');
  return g.identity(g.mul(logits, g.unsqueeze(isAsked, [2])), WRITER_SEAMS.logits);

  function lookBack(x: TypedValue): TypedValue {
    const query = split(linear('query', x, width, width), [0, 2, 1, 3]);
    const keys = g.identity(split(linear('key', x, width, width), [0, 2, 1, 3]), WRITER_SEAMS.keys);
    const values = g.identity(split(linear('value', x, width, width), [0, 2, 1, 3]), WRITER_SEAMS.values);
    return attended(query, g.transpose(keys, [0, 1, 3, 2]), values, bias);
  }

  function lookAtImage(x: TypedValue): TypedValue {
    const query = split(linear('query', x, width, width), [0, 2, 1, 3]);
    const keys = split(linear('key', seen, width, width), [0, 2, 3, 1]);
    const values = split(linear('value', seen, width, width), [0, 2, 1, 3]);
    return attended(
      query,
      g.identity(keys, WRITER_SEAMS.imageKeys),
      g.identity(values, WRITER_SEAMS.imageValues),
    );
  }

  /** Scaled dot-product attention, joined and projected. */
  function attended(query: TypedValue, keys: TypedValue, values: TypedValue, hides?: TypedValue): TypedValue {
    const scores = g.mul(g.matMul(query, keys), 1 / Math.sqrt(size));
    const context = g.matMul(g.softmax(hides ? g.add(scores, hides) : scores), values);
    const joined = g.reshape(g.transpose(context, [0, 2, 1, 3]), [0, 0, width]);
    return linear('output', joined, width, width, residual);
  }

  function block(x: TypedValue): TypedValue {
    const inner = g.op('Gelu', [linear('inner', x, width, 4 * width)], { approximate: 'tanh' });
    return linear('output', inner, 4 * width, width, residual);
  }

  function split(x: TypedValue, perm: readonly number[]): TypedValue {
    return g.transpose(g.reshape(x, [0, 0, heads, size]), perm);
  }

  function linear(name: string, x: TypedValue, from: number, to: number, deviation = DEVIATION): TypedValue {
    return g.scope(name, () =>
      g.add(g.matMul(x, make.normal('weight', [from, to], deviation)), make.constant('bias', [to], 0)),
    );
  }

  function norm(name: string, x: TypedValue): TypedValue {
    return g.scope(name, () =>
      g.layerNormalization(x, make.constant('scale', [width], 1), make.constant('bias', [width], 0), 1e-5),
    );
  }
}
