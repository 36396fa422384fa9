import { describe, expect, it } from 'vitest';
import { float, subgraph, toAttributes } from '../attributes.ts';
import type { Graph, Node } from '../graph.ts';
import { float32, int64, type Tensor, tensor } from '../tensor.ts';
import { int32, modelOf, normal, type OneNode, run } from '../testing/one-node.ts';
import { graphOf, operatorsOf, valueNamed } from '../testing/small-graph.ts';
import { DECOMPOSITIONS, decompose } from './decompose.ts';

const strings = (...value: string[]) => ({ kind: 'strings' as const, value });

const [T, B, I, H] = [4, 3, 5, 2];
const recurrent = (op: string, gates: number): OneNode[] => {
  const layer = (directions: number) => [
    normal(T, B, I),
    normal(directions, gates * H, I),
    normal(directions, gates * H, H),
    normal(directions, 2 * gates * H),
  ];
  const state = normal(2, B, H);
  const cell = op === 'LSTM' ? [state] : [];
  const outputs = op === 'LSTM' ? 3 : 2;
  return [
    { op, form: 'forward', inputs: layer(1), attributes: { hidden_size: H }, outputs },
    {
      op,
      form: 'reverse, no bias',
      inputs: layer(1).slice(0, 3),
      attributes: { hidden_size: H, direction: 'reverse' },
      outputs,
    },
    {
      op,
      form: 'both directions, from a state',
      inputs: [...layer(2), null, state, ...cell],
      attributes: { hidden_size: H, direction: 'bidirectional' },
      outputs,
    },
  ];
};

const masks: [string, Tensor][] = [
  ['lengths', int32([4, 2])],
  ['a mask', int32([1, 1, 1, 0, 1, 1, 0, 0], [2, 4])],
];
const M = 'com.microsoft::';
const CASES: OneNode[] = [
  { op: 'CastLike', form: 'of whole numbers', inputs: [int32([3, -2]), normal(1)] },
  ...recurrent('RNN', 1),
  ...recurrent('GRU', 3),
  ...recurrent('LSTM', 4),
  {
    op: 'GRU',
    form: 'linear before reset',
    inputs: [
      normal(T, B, I),
      normal(1, 3 * H, I),
      normal(1, 3 * H, H),
      normal(1, 6 * H),
      null,
      normal(1, B, H),
    ],
    attributes: { hidden_size: H, linear_before_reset: 1 },
    outputs: 2,
  },
  {
    op: 'LSTM',
    form: 'peepholes',
    inputs: [
      normal(T, B, I),
      normal(1, 4 * H, I),
      normal(1, 4 * H, H),
      normal(1, 8 * H),
      null,
      null,
      null,
      normal(1, 3 * H),
    ],
    attributes: { hidden_size: H },
    outputs: 3,
  },
  {
    op: 'RNN',
    form: 'another activation',
    inputs: [normal(T, B, I), normal(1, H, I), normal(1, H, H)],
    attributes: { hidden_size: H, activations: strings('Relu') },
    outputs: 2,
  },
  ...['none', 'sum', 'mean'].flatMap((reduction): OneNode[] => [
    {
      op: 'SoftmaxCrossEntropyLoss',
      form: `${reduction}, weights, ignored labels`,
      inputs: [normal(3, 4, 2), int64([0, 3, 1, 1, 2, 0], [3, 2]), float32([0.5, 1, 2, 0.25])],
      attributes: { reduction, ignore_index: 1 },
      outputs: 2,
    },
    {
      op: 'NegativeLogLikelihoodLoss',
      form: reduction,
      inputs: [normal(3, 4), int64([0, 3, 1])],
      attributes: { reduction },
    },
  ]),
  {
    op: `${M}SkipLayerNormalization`,
    form: 'with a bias, and the sum',
    inputs: [normal(2, 3, 4), normal(2, 3, 4), normal(4), normal(4), normal(4)],
    attributes: { epsilon: float(1e-3) },
  },
  {
    op: `${M}SkipSimplifiedLayerNormalization`,
    form: '',
    inputs: [normal(2, 3, 4), normal(2, 3, 4), normal(4)],
    attributes: { epsilon: float(1e-3) },
  },
  {
    op: 'SimplifiedLayerNormalization',
    form: '',
    inputs: [normal(2, 3, 4), normal(4)],
    attributes: { axis: -1, epsilon: float(1e-3), stash_type: 1 },
  },
  {
    op: 'RMSNormalization',
    form: '',
    inputs: [normal(2, 3, 4), normal(4)],
    attributes: { epsilon: float(1e-3) },
    opset: 23,
  },
  ...[0, 1].map(
    (interleaved): OneNode => ({
      op: `${M}RotaryEmbedding`,
      form: interleaved ? 'neighbours' : 'halves',
      inputs: [normal(2, 2, 3, 4), int64([0, 1, 2, 3, 4, 5], [2, 3]), normal(8, 2), normal(8, 2)],
      attributes: { interleaved },
    }),
  ),
  ...masks.map(
    ([form, mask]): OneNode => ({
      op: `${M}Attention`,
      form,
      inputs: [normal(2, 4, 6), normal(6, 24), normal(24), mask],
      attributes: { num_heads: 2 },
    }),
  ),
  {
    op: `${M}Attention`,
    form: 'causal',
    inputs: [normal(2, 4, 6), normal(6, 24), normal(24)],
    attributes: { num_heads: 2, unidirectional: 1 },
  },
  {
    op: `${M}MultiHeadAttention`,
    form: 'bias, mask, added scores',
    inputs: [
      normal(2, 4, 8),
      normal(2, 5, 8),
      normal(2, 5, 8),
      normal(24),
      int32([1, 1, 1, 1, 0, 1, 1, 0, 0, 0], [2, 5]),
      normal(2, 2, 4, 5),
    ],
    attributes: { num_heads: 2 },
  },
  {
    op: `${M}GroupQueryAttention`,
    form: 'the first pass, rotary',
    inputs: [
      normal(1, 4, 64),
      normal(1, 4, 32),
      normal(1, 4, 32),
      null,
      null,
      int32([3], [1]),
      int32([4], []),
      normal(8, 8),
      normal(8, 8),
    ],
    attributes: { num_heads: 4, kv_num_heads: 2, do_rotary: 1 },
    outputs: 3,
  },
];

describe('decompose', () => {
  it.each(CASES.map((one) => [one.op, one.form, one] as const))(
    '%s (%s) computes what the kernel does',
    async (op, _form, one) => {
      const graph = modelOf(one);
      const apart = decompose(graph);
      expect(operatorsOf(apart)).not.toContain(op.split('::').at(-1));
      const [expected, found] = [await run(graph, one.inputs), await run(apart, one.inputs)];
      expected.forEach((values, i) => {
        values.forEach((value, at) => {
          expect(found[i]![at], `output ${i}, element ${at}`).toBeCloseTo(value, 4);
        });
      });
    },
  );

  it('takes the branch of an If that its condition chooses', async () => {
    const x = valueNamed('x0', 'float32', [2]);
    const branch = (opType: string): Graph => {
      const y = valueNamed('y', 'float32', [2]);
      const node: Node = {
        name: opType,
        opType,
        domain: '',
        inputs: [x],
        outputs: [y],
        attributes: new Map(),
      };
      return graphOf([], [node], [y]);
    };
    const condition = valueNamed('condition', 'bool', []);
    const y = valueNamed('y0', 'float32', [2]);
    const node: Node = {
      name: 'if',
      opType: 'If',
      domain: '',
      inputs: [condition],
      outputs: [y],
      attributes: toAttributes({
        then_branch: subgraph(branch('Neg')),
        else_branch: subgraph(branch('Exp')),
      }),
    };
    const graph = graphOf([x], [node], [y], [[condition, tensor('bool', [], Uint8Array.of(1))]]);
    expect(operatorsOf(decompose(graph))).toEqual(['Neg', 'Identity']);
    expect(await run(decompose(graph), [float32([1, 2])])).toEqual([[-1, -2]]);
  });

  it('leaves forms that it does not know as they are', () => {
    const clipped = modelOf({
      op: 'RNN',
      form: '',
      inputs: [normal(T, B, I), normal(1, H, I), normal(1, H, H)],
      attributes: { hidden_size: H, clip: float(0.5) },
      outputs: 2,
    });
    expect(operatorsOf(decompose(clipped))).toEqual(['RNN']);
    expect(DECOMPOSITIONS.has('RNN')).toBe(true);
  });
});
