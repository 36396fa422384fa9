import { randomStream } from '../../random.ts';
import { float } from '../attributes.ts';
import type { Graph, TypedValue } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32 } from '../tensor.ts';

/** Sizes of a vision transformer as torchvision has it. */
export interface TorchvisionVit {
  readonly width?: number;
  readonly heads?: number;
  readonly layers?: number;
}

/**
 * A vision transformer with its values laid as PyTorch exports torchvision's (`nn.MultiheadAttention`, batch_first): the sequence comes
 * before the batch, queries, keys and values are one product (`in_proj`), heads are laid into the batch and back, and the product after
 * them is one of matrices. Input `pixel_values` [batch, 3, 8, 8], patches of 4 pixels, output `logits` [batch, 3].
 */
export function torchvisionVit({ width = 8, heads = 2, layers = 2 }: TorchvisionVit = {}): Graph {
  const g = new GraphBuilder(17);
  const random = randomStream(1, 'torchvision');
  const weight = (name: string, ...dims: number[]) =>
    g.initializer(
      name,
      float32(
        Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0.5 * random.normal()),
        dims,
      ),
    );
  const norm = (x: TypedValue, name: string) =>
    g.op('LayerNormalization', [x, weight(`${name}.weight`, width), weight(`${name}.bias`, width)], {
      axis: -1,
      epsilon: float(1e-6),
    });
  const pixels = g.input('pixel_values', 'float32', ['batch', 3, 8, 8]);
  const patches = g.op(
    'Conv',
    [pixels, weight('conv_proj.weight', width, 3, 4, 4), weight('conv_proj.bias', width)],
    {
      strides: [4, 4],
    },
  );
  const size = (x: TypedValue, axis: number) =>
    g.unsqueeze(g.gather(g.op('Shape', [x]), g.scalar(axis, 'int64')), [0]);
  const tokens = g.transpose(g.reshape(patches, [0, width, -1]), [0, 2, 1]);
  const first = g.op('Expand', [
    weight('class_token', 1, 1, width),
    g.concat([size(tokens, 0), g.ints([1]), g.ints([width])], 0),
  ]);
  let x = g.add(g.concat([first, tokens], 1), weight('encoder.pos_embedding', 1, 5, width));
  for (let layer = 0; layer < layers; layer++) {
    const own = `encoder.layers.encoder_layer_${layer}`;
    x = g.add(x, attention(norm(x, `${own}.ln_1`), `${own}.self_attention`));
    const inside = g.add(
      g.matMul(norm(x, `${own}.ln_2`), weight(`${own}.mlp.0.weight`, width, 2 * width)),
      weight(`${own}.mlp.0.bias`, 2 * width),
    );
    const half = g.mul(inside, 0.5);
    const gelu = g.mul(half, g.add(g.op('Erf', [g.div(inside, Math.SQRT2)]), 1));
    x = g.add(
      x,
      g.add(
        g.matMul(gelu, weight(`${own}.mlp.3.weight`, 2 * width, width)),
        weight(`${own}.mlp.3.bias`, width),
      ),
    );
  }
  const token = g.gather(norm(x, 'encoder.ln'), g.scalar(0, 'int64'), 1);
  g.output(g.gemm(token, weight('heads.head.weight', width, 3), weight('heads.head.bias', 3)), 'logits');
  return g.build('torchvision');

  function attention(of: TypedValue, name: string): TypedValue {
    const sequence = g.transpose(of, [1, 0, 2]);
    const [length, batch] = [size(sequence, 0), size(sequence, 1)];
    const joined = g.add(
      g.matMul(sequence, weight(`${name}.in_proj_weight`, width, 3 * width)),
      weight(`${name}.in_proj_bias`, 3 * width),
    );
    const apart = g.op('Reshape', [joined, g.concat([length, batch, g.ints([3]), g.ints([width])], 0)]);
    const stacked = g.squeeze(g.transpose(g.unsqueeze(apart, [0]), [3, 1, 2, 0, 4]), [3]);
    const each = width / heads;
    const inBatch = g.op('Mul', [batch, g.ints([heads])]);
    const [q, k, v] = [0, 1, 2].map((i) => {
      const own = g.gather(stacked, g.scalar(i, 'int64'), 0);
      const laid = g.transpose(
        g.op('Reshape', [own, g.concat([length, inBatch, g.ints([each])], 0)]),
        [1, 0, 2],
      );
      return g.op('Reshape', [laid, g.concat([batch, g.ints([heads]), length, g.ints([each])], 0)]);
    }) as [TypedValue, TypedValue, TypedValue];
    const root = Math.sqrt(Math.sqrt(1 / each));
    const scores = g.matMul(g.mul(q, root), g.mul(g.transpose(k, [0, 1, 3, 2]), root));
    const attended = g.matMul(g.op('Softmax', [scores], { axis: -1 }), v);
    const flat = g.op('Reshape', [
      g.transpose(attended, [2, 0, 1, 3]),
      g.concat([g.op('Mul', [length, batch]), g.ints([width])], 0),
    ]);
    const projected = g.op(
      'Gemm',
      [flat, weight(`${name}.out_proj.weight`, width, width), weight(`${name}.out_proj.bias`, width)],
      {
        transB: 1,
      },
    );
    const back = g.op('Reshape', [projected, g.concat([length, batch, g.ints([width])], 0)]);
    return g.transpose(back, [1, 0, 2]);
  }
}
