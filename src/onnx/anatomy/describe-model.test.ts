import { describe, expect, it } from 'vitest';
import { decompose } from '../decompose/decompose.ts';
import type { TypedValue, Value } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { tensor } from '../tensor.ts';
import { graphOf, nodeOf } from '../testing/small-graph.ts';
import { describeModel } from './describe-model.ts';

const [WIDTH, HEADS] = [8, 2];

/** A graph under construction, with weights that are as good as any. */
class Sketch {
  readonly g = new GraphBuilder();
  #weights = 0;

  weight(...dims: number[]): TypedValue {
    const size = dims.reduce((a, b) => a * b, 1);
    return this.g.initializer(`weight_${this.#weights++}`, tensor('float32', dims, new Float32Array(size)));
  }

  tokens(name = 'input_ids', width = WIDTH): TypedValue {
    return this.g.gather(this.weight(50, width), this.g.input(name, 'int64', ['batch', 'sequence']));
  }

  dense(x: TypedValue): TypedValue {
    return this.g.matMul(x, this.weight(WIDTH, WIDTH));
  }

  norm(x: TypedValue, name?: string): TypedValue {
    const normed = this.g.layerNormalization(x, this.weight(WIDTH), this.weight(WIDTH), 1e-5);
    return name === undefined ? normed : this.g.identity(normed, name);
  }

  attend(x: TypedValue, name: string, to = x): TypedValue {
    const { g } = this;
    const split = (value: TypedValue, perm: number[]) =>
      g.transpose(g.reshape(this.dense(value), [0, 0, HEADS, WIDTH / HEADS]), perm);
    const scores = g.matMul(split(x, [0, 2, 1, 3]), split(to, [0, 2, 3, 1]));
    const probabilities = g.op('Softmax', [scores], {}, { name });
    const context = g.matMul(probabilities, split(to, [0, 2, 1, 3]));
    return this.dense(g.reshape(g.transpose(context, [0, 2, 1, 3]), [0, 0, WIDTH]));
  }

  add(a: TypedValue, b: TypedValue, name: string): TypedValue {
    return this.g.op('Add', [a, b], {}, { name });
  }

  classify(x: TypedValue) {
    const mean = this.g.reduceMean(x, { axes: [1], keepDims: false });
    this.g.output(this.g.matMul(mean, this.weight(WIDTH, 5)), 'logits');
    return describeModel(this.g.build());
  }
}

describe('a transformer', () => {
  it('whose residual paths begin before normalisations ends its layers before them', () => {
    const s = new Sketch();
    let x = s.tokens();
    const embeddings = x.name;
    for (const layer of [0, 1]) {
      const middle = s.add(s.attend(s.norm(x), `p${layer}`), x, `middle${layer}`);
      x = s.add(s.dense(s.g.relu(s.dense(s.norm(middle)))), middle, `end${layer}`);
    }
    const { family, layers, features, logits } = s.classify(s.norm(x, 'final'));
    expect({ family, features, logits }).toEqual({
      family: 'transformer',
      features: embeddings,
      logits: 'logits',
    });
    expect(layers.map(({ name, hidden }) => [name, hidden])).toEqual([
      ['layer_0', { name: 'end0', width: WIDTH }],
      ['layer_1', { name: 'end1', width: WIDTH }],
    ]);
    expect(layers[1]!.attention).toEqual({ probabilities: 'p1', heads: HEADS, values: expect.any(String) });
  });

  it.each([1, 2])(
    'of %i layers whose residual paths begin behind normalisations ends them there',
    (count) => {
      const s = new Sketch();
      let x = s.norm(s.tokens());
      for (let layer = 0; layer < count; layer++) {
        const middle = s.norm(s.add(s.attend(x, `p${layer}`), x, `join${layer}`), `middle${layer}`);
        x = s.norm(s.add(s.dense(s.g.relu(s.dense(middle))), middle, `end${layer}`), `normed${layer}`);
      }
      const ends = s.classify(x).layers.map(({ hidden }) => hidden?.name);
      expect(ends).toEqual(Array.from({ length: count }, (_, layer) => `normed${layer}`));
    },
  );

  it("does not take a classifier's residual paths for its last layer's", () => {
    const s = new Sketch();
    let x = s.tokens();
    for (const layer of [0, 1]) x = s.add(s.attend(s.norm(x), `p${layer}`), x, `end${layer}`);
    const { layers } = s.classify(s.add(s.dense(x), x, 'head'));
    expect(layers.map(({ hidden }) => hidden?.name)).toEqual(['end0', 'end1']);
  });

  it.each(['Slice', 'Gather'])(
    'whose first token is cut out with its axis kept (%s) does not take that for a hidden state',
    (cut) => {
      const s = new Sketch();
      const { g } = s;
      const x = s.norm(s.tokens());
      const middle = s.norm(s.add(s.attend(x, 'p'), x, 'join'), 'middle');
      const end = s.norm(s.add(s.dense(g.relu(s.dense(middle))), middle, 'end'), 'normed');
      const first =
        cut === 'Slice'
          ? g.op('Slice', [end, g.ints([0]), g.ints([1]), g.ints([1])])
          : g.gather(end, g.ints([0]), 1);
      const pooled = s.add(g.tanh(s.dense(first)), first, 'pooled');
      g.output(g.matMul(g.squeeze(pooled, [1]), s.weight(WIDTH, 5)), 'logits');
      const { layers } = describeModel(g.build());
      expect(layers.map(({ hidden }) => hidden?.name)).toEqual(['normed']);
    },
  );

  it('that is quantised has its layers where they would be: the steps of its grid are passed over', () => {
    const s = new Sketch();
    const { g } = s;
    const onGrid = (x: TypedValue): TypedValue => {
      const grid = [
        g.scalar(0.1),
        g.initializer(`zero${x.name}`, tensor('int8', [], Int8Array.of(0))),
      ] as const;
      return g.op('DequantizeLinear', [g.op('QuantizeLinear', [x, ...grid]), ...grid]);
    };
    let x = onGrid(s.norm(s.tokens()));
    for (const layer of [0, 1]) {
      const middle = onGrid(s.norm(onGrid(s.add(onGrid(s.attend(x, `p${layer}`)), x, `join${layer}`))));
      const sum = onGrid(s.add(onGrid(s.dense(g.relu(s.dense(middle)))), middle, `end${layer}`));
      x = g.identity(onGrid(s.norm(sum)), `state${layer}`);
    }
    const first = g.op('Slice', [x, g.ints([0]), g.ints([1]), g.ints([1])]);
    g.output(g.matMul(onGrid(g.squeeze(first, [1])), s.weight(WIDTH, 5)), 'logits');
    const { layers } = describeModel(g.build());
    expect(layers.map(({ hidden, attention }) => [hidden?.name, attention?.probabilities])).toEqual([
      ['state0', 'p0'],
      ['state1', 'p1'],
    ]);
  });

  it('of fused operators, as an optimizer leaves them, has shapes and layers', () => {
    const g = new GraphBuilder();
    const domain = 'com.microsoft';
    const weight = (name: string, ...dims: number[]) =>
      g.initializer(name, tensor('float32', dims, new Float32Array(dims.reduce((a, b) => a * b, 1))));
    const ids = g.input('input_ids', 'int32', ['batch', 'sequence']);
    const mask = g.input('attention_mask', 'int32', ['batch', 'sequence']);
    const norm = [weight('gamma', WIDTH), weight('beta', WIDTH)] as const;
    const tables = [weight('words', 50, WIDTH), weight('places', 32, WIDTH), null, ...norm, mask];
    let x = g.node('EmbedLayerNormalization', [ids, null, ...tables], {}, { domain, outputs: 2 })[0]!;
    for (const layer of [0, 1]) {
      const [w, b] = [weight(`qkv${layer}`, WIDTH, 3 * WIDTH), weight(`bias${layer}`, 3 * WIDTH)];
      const attended = g.op('Attention', [x, w, b, mask], { num_heads: HEADS }, { domain });
      const middle = g.op('SkipLayerNormalization', [attended, x, ...norm], {}, { domain });
      const wide = g.op('FastGelu', [g.matMul(middle, weight(`up${layer}`, WIDTH, 16))], {}, { domain });
      const down = g.matMul(wide, weight(`down${layer}`, 16, WIDTH));
      x = g.op('SkipLayerNormalization', [down, middle, ...norm], {}, { domain, name: `state${layer}` });
    }
    g.output(g.matMul(g.gather(x, g.scalar(0, 'int64'), 1), weight('head', WIDTH, 5)), 'logits');
    const graph = g.build();
    expect(graph.outputs[0]!.shape).toEqual(['batch', 5]);
    const { layers, logits } = describeModel(decompose(graph));
    expect(logits).toBe('logits');
    expect(layers.map(({ hidden }) => hidden?.name)).toEqual(['state0', 'state1']);
    expect(layers.map(({ attention }) => attention?.heads)).toEqual([HEADS, HEADS]);
  });

  it('with an encoder has a layer for each layer of both, whatever attends to the encoder', () => {
    const s = new Sketch();
    const source = s.tokens('source_ids');
    const encoded = s.add(s.attend(s.norm(source), 'encoder'), source, 'encoded');
    let x = s.tokens();
    for (const layer of [0, 1]) {
      const first = s.add(s.attend(s.norm(x), `self${layer}`), x, `first${layer}`);
      x = s.add(s.attend(s.norm(first), `cross${layer}`, encoded), first, `end${layer}`);
    }
    const { layers } = s.classify(x);
    expect(layers.map(({ attention, hidden }) => [attention?.probabilities, hidden?.name])).toEqual([
      ['encoder', 'encoded'],
      ['self0', 'end0'],
      ['self1', 'end1'],
    ]);
  });

  it('with heads inside the batch has attention where the model lays them apart', () => {
    const build = (apart: boolean) => {
      const s = new Sketch();
      const { g } = s;
      const x = s.tokens();
      const split = (value: TypedValue, perm: number[]) =>
        g.transpose(g.reshape(s.dense(value), [0, 0, HEADS, WIDTH / HEADS]), perm);
      const merged = (value: TypedValue, dims: number[]) => g.op('Reshape', [value, g.ints(dims)]);
      const ids = g.input('fixed', 'float32', [3, 4, WIDTH]);
      const [q, k, v] = [ids, ids, ids].map((value) =>
        merged(split(value, [0, 2, 1, 3]), [6, 4, WIDTH / HEADS]),
      );
      const p = g.op('Softmax', [g.matMul(q!, g.transpose(k!, [0, 2, 1]))], {}, { name: 'p' });
      const shown = apart ? g.op('Reshape', [p, g.ints([3, HEADS, 4, 4])], {}, { name: 'apart' }) : p;
      const back = apart ? merged(shown, [6, 4, 4]) : p;
      const context = g.transpose(merged(g.matMul(back, v!), [3, HEADS, 4, WIDTH / HEADS]), [0, 2, 1, 3]);
      const y = s.add(s.dense(merged(context, [3, 4, WIDTH])), ids, 'end');
      g.output(g.reduceMean(x, { axes: [1] }), 'other');
      return s.classify(y).layers[0];
    };
    expect(build(true)?.attention).toMatchObject({ probabilities: 'apart', heads: HEADS });
    expect(build(false)).toEqual({ name: 'layer_0', hidden: { name: 'end', width: WIDTH } });
  });

  it('has the attention of a fused operator when that is taken apart', () => {
    const value = (name: string, ...shape: (number | string)[]): Value => ({ name, type: 'float32', shape });
    const weight = (name: string, ...dims: number[]) =>
      [
        value(name, ...dims),
        tensor('float32', dims, new Float32Array(dims.reduce((a, b) => a * b))),
      ] as const;
    const [x, fused, end] = ['x', 'fused', 'end'].map((name) => value(name, 'batch', 'sequence', WIDTH));
    const weights = [weight('w', WIDTH, 3 * WIDTH), weight('b', 3 * WIDTH)];
    const attention = nodeOf('Attention', [x!, weights[0]![0], weights[1]![0]], [fused!], {
      num_heads: HEADS,
    });
    const nodes = [{ ...attention, domain: 'com.microsoft' }, nodeOf('Add', [fused!, x!], [end!])];
    const graph = graphOf([x!], nodes, [end!], weights);
    expect(describeModel(graph).layers[0]?.attention).toBeUndefined();
    const [layer] = describeModel(decompose(graph)).layers;
    expect(layer).toMatchObject({ attention: { heads: HEADS }, hidden: { name: 'end' } });
    expect(layer?.attention?.probabilities).toMatch(/^fused\//);
  });
});

describe('a convolutional network', () => {
  const conv = (s: Sketch, x: TypedValue, outputs: number, stride = 1, name?: string) =>
    s.g.op(
      'Conv',
      [x, s.weight(outputs, x.shape[1] as number, 3, 3)],
      { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] },
      { ...(name && { name }) },
    );
  const pooled = (s: Sketch, x: TypedValue) => {
    const flat = s.g.op('Flatten', [s.g.op('GlobalAveragePool', [x])]);
    s.g.output(s.g.matMul(flat, s.weight(x.shape[1] as number, 5)), 'logits');
    return describeModel(s.g.build());
  };

  it('has its residual blocks with what activates them, by stages', () => {
    const s = new Sketch();
    let x = conv(s, s.g.input('pixel_values', 'float32', ['batch', 3, 16, 16]), 4);
    for (const [block, stride] of [1, 1, 2].entries()) {
      const shortcut = stride === 1 ? x : conv(s, x, 4, stride);
      const sum = s.add(conv(s, s.g.relu(conv(s, x, 4, stride)), 4), shortcut, `sum${block}`);
      x = s.g.op('Relu', [sum], {}, { name: `end${block}` });
    }
    const { family, layers, features } = pooled(s, x);
    expect({ family, features }).toEqual({ family: 'convolutional', features: 'pixel_values' });
    const sizes = { channels: 4, height: 16, width: 16 };
    expect(layers).toEqual([
      { name: 'stage_1/block_1', features: { name: 'end0', ...sizes, endsStage: false } },
      { name: 'stage_1/block_2', features: { name: 'end1', ...sizes, endsStage: true } },
      {
        name: 'stage_2/block_1',
        features: { name: 'end2', channels: 4, height: 8, width: 8, endsStage: true },
      },
    ]);
  });

  it('has linear ends of blocks without residual paths', () => {
    const s = new Sketch();
    const image = s.g.input('pixel_values', 'float32', ['batch', 3, 16, 16]);
    const stem = s.g.relu(conv(s, image, 4));
    const narrow = conv(s, s.g.relu(conv(s, stem, 8, 2)), 4, 1, 'narrow');
    const { layers } = pooled(s, s.g.relu(conv(s, narrow, 8)));
    expect(layers.map(({ features }) => features?.name)).toEqual(['narrow']);
  });

  it('without blocks has the last map of each size, which it takes to be 224x224 where that is open', () => {
    const s = new Sketch();
    const image = s.g.input('pixel_values', 'float32', ['batch', 'channels', 'height', 'width']);
    const maps = (x: TypedValue, name: string) => s.g.op('Relu', [x], {}, { name });
    const weight = s.weight(4, 3, 3, 3);
    const first = maps(s.g.op('Conv', [image, weight], { pads: [1, 1, 1, 1] }), 'first');
    const { layers } = pooled(s, maps(conv(s, first, 6, 2), 'second'));
    expect(layers.map(({ name, features }) => [name, features?.name, features?.height])).toEqual([
      ['stage_1/block_1', 'first', 224],
      ['stage_2/block_1', 'second', 112],
    ]);
  });
});

describe('any other graph', () => {
  it('of a sequence that does not attend is one layer, until the sequence is pooled', () => {
    const s = new Sketch();
    const x = s.g.op('Relu', [s.dense(s.tokens())], {}, { name: 'end' });
    const pooled = s.g.concat(
      [
        s.g.reduceMean(x, { axes: [1], keepDims: false }),
        s.g.op('ReduceMax', [x, s.g.ints([1])], { keepdims: 0 }),
      ],
      1,
    );
    s.g.output(s.g.matMul(pooled, s.weight(2 * WIDTH, 5)), 'logits');
    expect(describeModel(s.g.build())).toMatchObject({
      family: 'other',
      layers: [{ name: 'layer_0', hidden: { name: 'end', width: WIDTH } }],
      logits: 'logits',
    });
  });

  it('is described without layers', () => {
    const g = new GraphBuilder();
    g.output(g.relu(g.input('x', 'float32', ['batch', 4])), 'y');
    expect(describeModel(g.build())).toEqual({ family: 'other', layers: [], logits: 'y' });
    expect(describeModel(new GraphBuilder().build())).toEqual({ family: 'other', layers: [] });
  });

  it('may have values of which nothing is known', () => {
    const [x, p, y] = ['x', 'p', 'y'].map((name): Value => ({ name, type: undefined, shape: undefined }));
    const graph = graphOf([x!], [nodeOf('Softmax', [x!], [p!]), nodeOf('MatMul', [p!, x!], [y!])], [y!]);
    expect(describeModel(graph)).toEqual({ family: 'other', layers: [] });
  });
});
