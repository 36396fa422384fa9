import { float } from '../../onnx/attributes.ts';
import type { Graph, TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { storedTensor } from '../../onnx/stored-tensor.ts';
import { elementCount, float32, type Tensor } from '../../onnx/tensor.ts';

export interface LayeredOptions {
  readonly layers?: number;
  readonly width?: number;
  readonly heads?: number;
  /** Width of the inner layer of each feed-forward network, in widths. */
  readonly inner?: number;
  readonly vocabulary?: number;
  /** Positions that it has. */
  readonly positions?: number;
  readonly classes?: number;
  /** Whether its answer depends on the places of padding. */
  readonly looksAtPadding?: boolean;
}

/**
 * A classifier of texts as BERT is built, its weights drawn and computed when they are looked at: models of any size take no
 * memory. Inputs `input_ids` and `attention_mask`, int64 [batch, sequence]; output `logits`, float32 [batch, classes]; hidden
 * states are called `layer_0/hidden` and so on.
 */
export function layeredModel(options: LayeredOptions = {}): Graph {
  const {
    layers = 3,
    width = 16,
    heads = 2,
    inner = 4,
    vocabulary = 32,
    positions = 16,
    classes = 3,
  } = options;
  const g = new GraphBuilder();
  let drawn = 0;
  const weight = (name: string, ...dims: number[]) => g.initializer(name, drawnTensor(++drawn, dims));
  const constant = (name: string, value: number, size: number) =>
    g.initializer(name, float32(new Float32Array(size).fill(value)));
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.cast(g.input('attention_mask', 'int64', ['batch', 'sequence']), 'float32');
  const hidden4d = g.mul(g.sub(1, g.unsqueeze(mask, [1, 2])), -1e4);
  const length = g.op('Shape', [ids], { start: 1 });
  const norm = (value: TypedValue, name: string, output?: string) =>
    g.op(
      'LayerNormalization',
      [value, constant(`${name}/scale`, 1, width), constant(`${name}/bias`, 0, width)],
      { axis: -1, epsilon: float(1e-5) },
      output ? { name: output } : {},
    );
  const linear = (value: TypedValue, name: string, from: number, to: number) =>
    g.add(g.matMul(value, weight(`${name}/weight`, from, to)), weight(`${name}/bias`, to));
  const places = g.op('Slice', [weight('positions', positions, width), g.ints([0]), length, g.ints([0])]);
  let hidden = norm(g.add(g.gather(weight('embeddings', vocabulary, width), ids), places), 'embedding');
  const split = (value: TypedValue) =>
    g.transpose(g.reshape(value, [0, 0, heads, width / heads]), [0, 2, 1, 3]);
  for (let layer = 0; layer < layers; layer++) {
    const own = `layer_${layer}`;
    const [q, k, v] = ['query', 'key', 'value'].map((part) =>
      split(linear(hidden, `${own}/${part}`, width, width)),
    ) as [TypedValue, TypedValue, TypedValue];
    const scores = g.add(
      g.mul(g.matMul(q, g.transpose(k, [0, 1, 3, 2])), Math.sqrt(heads / width)),
      hidden4d,
    );
    const attended = g.matMul(g.op('Softmax', [scores], { axis: -1 }), v);
    const joined = g.reshape(g.transpose(attended, [0, 2, 1, 3]), [0, 0, width]);
    hidden = norm(g.add(hidden, linear(joined, `${own}/output`, width, width)), `${own}/attention_norm`);
    const wide = g.relu(linear(hidden, `${own}/up`, width, inner * width));
    hidden = norm(
      g.add(hidden, linear(wide, `${own}/down`, inner * width, width)),
      `${own}/norm`,
      `${own}/hidden`,
    );
  }
  const pooled = options.looksAtPadding
    ? g.reduceMean(hidden, { axes: [1], keepDims: false })
    : g.squeeze(g.op('Slice', [hidden, g.ints([0]), g.ints([1]), g.ints([1])]), [1]);
  g.output(linear(pooled, 'classifier', width, classes), 'logits');
  return g.build('layered');
}

/** Numbers around 0 with the deviation that keeps what goes through them in scale, the same for the same seed. */
function drawnTensor(seed: number, dims: readonly number[]): Tensor {
  const scale = dims.length > 1 ? Math.sqrt(3 / (dims[0] as number)) : 0.1;
  return storedTensor('float32', dims, () => {
    const values = new Float32Array(elementCount(dims));
    // A linear congruential generator (Numerical Recipes, section 7.1): fast, and good enough for weights.
    let state = (seed * 2_654_435_761) >>> 0;
    for (let i = 0; i < values.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      values[i] = (state / 2 ** 31 - 1) * scale;
    }
    return values;
  });
}
