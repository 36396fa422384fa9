import { describe, expect, it } from 'vitest';
import { type AttributeInits, float } from '../onnx/attributes.ts';
import { decompose } from '../onnx/decompose/decompose.ts';
import type { Graph, Node } from '../onnx/graph.ts';
import { float32, int64, type Tensor, tensor } from '../onnx/tensor.ts';
import { modelOf, normal, type OneNode, run } from '../onnx/testing/one-node.ts';
import { operatorsOf, valueNamed } from '../onnx/testing/small-graph.ts';
import { checkModelGradients, modelGradients } from './testing/check-model.ts';

const bools = (values: number[], dims: number[]) => tensor('bool', dims, Uint8Array.from(values));
const NONE = -Infinity;
const [q, k, v] = [normal(1, 2, 4, 4), normal(1, 2, 6, 4), normal(1, 2, 6, 4)];
/** Row 1 lets nothing through; row 0 the last key alone, which is_causal hides. */
const closed = bools([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1], [4, 6]);
const closedFloat = float32(
  [0, 0, 0, 0, 0, NONE, ...new Array<number>(6).fill(NONE), ...new Array<number>(12).fill(0.5)],
  [4, 6],
);
const causal = { is_causal: 1 };

const CASES: [form: string, inputs: (Tensor | null)[], attributes: AttributeInits, opset?: number][] = [
  ['more keys than queries, causal', [q, k, v], causal],
  ['more queries than keys, causal', [normal(1, 2, 6, 4), normal(1, 2, 4, 4), normal(1, 2, 4, 4)], causal],
  ['a bool mask with a closed row', [q, k, v, closed], {}],
  ['a bool mask with a closed row, causal', [q, k, v, closed], causal],
  ['a float mask with a closed row', [q, k, v, closedFloat], {}],
  ['a mask for each head', [q, k, v, normal(1, 2, 4, 6)], {}],
  ['limited scores', [q, k, v, closed], { softcap: float(0.7) }],
  ['limited scores, scaled, causal', [q, k, v], { softcap: float(0.7), scale: float(0.3), ...causal }],
  [
    'after a past, causal',
    [
      normal(1, 2, 3, 4),
      normal(1, 2, 3, 4),
      normal(1, 2, 3, 4),
      null,
      normal(1, 2, 2, 4),
      normal(1, 2, 2, 4),
    ],
    causal,
  ],
  ['groups of heads', [normal(2, 4, 3, 4), normal(2, 2, 5, 4), normal(2, 2, 5, 4)], causal],
  [
    'three axes, groups of heads',
    [normal(2, 3, 16), normal(2, 5, 8), normal(2, 5, 8)],
    { q_num_heads: 4, kv_num_heads: 2, ...causal },
  ],
  [
    'lengths of the keys',
    [normal(2, 1, 2, 4), normal(2, 1, 4, 4), normal(2, 1, 4, 4), null, null, null, int64([0, 3])],
    {},
    24,
  ],
  [
    'lengths of the keys, causal',
    [normal(2, 1, 2, 4), normal(2, 1, 4, 4), normal(2, 1, 4, 4), null, null, null, int64([1, 3])],
    causal,
    24,
  ],
  ['opset 24, a closed row, causal', [q, k, v, closed], causal, 24],
];

/** mean(sin(y)): as a loss that no element can hide in. */
function withLoss(graph: Graph): Graph {
  const [y] = graph.outputs;
  const node = (name: string, opType: string, input: typeof y, attributes: Node['attributes']): Node => ({
    name,
    opType,
    domain: '',
    inputs: [input!],
    outputs: [valueNamed(name, 'float32', [])],
    attributes,
  });
  const sine = node('sine', 'Sin', y, new Map());
  Object.assign(sine.outputs[0]!, { shape: undefined });
  const loss = node(
    'loss',
    'ReduceMean',
    sine.outputs[0]!,
    new Map([['keepdims', { kind: 'int', value: 0 }]]),
  );
  return { ...graph, nodes: [...graph.nodes, sine, loss], outputs: [loss.outputs[0]!] };
}

describe.each(CASES)('Attention: %s', (form, inputs, attributes, opset = 23) => {
  const one: OneNode = { op: 'Attention', form, inputs, attributes, opset };

  it('computes what ONNX Runtime does, in every output', async () => {
    for (const mode of [0, 1, 3]) {
      const outputs = inputs[6] ? 1 : 4;
      const shown = { ...one, outputs, attributes: { ...attributes, qk_matmul_output_mode: mode } };
      const graph = modelOf(outputs === 4 ? shown : { ...shown, attributes });
      const apart = decompose(graph);
      expect(operatorsOf(apart)).not.toContain('Attention');
      const [expected, found] = [await run(graph, inputs), await run(apart, inputs)];
      for (const [i, values] of expected.entries()) {
        // Of keys and values of now ONNX Runtime gives nothing without those of before.
        if ((i === 1 || i === 2) && !inputs[4]) continue;
        for (const [at, value] of values.entries())
          expect(found[i]![at], `output ${i}`).toBeCloseTo(value, 4);
      }
    }
  });

  it('has the slopes of what ONNX Runtime computes', async () => {
    const feeds = Object.fromEntries(inputs.flatMap((input, i) => (input ? [[`x${i}`, input]] : [])));
    const wrt = ['x0', 'x1', 'x2', ...(inputs[4] ? ['x4', 'x5'] : [])];
    // ONNX Runtime wants the keys and values of now and before as outputs where it is given those of before.
    await checkModelGradients(withLoss(modelOf({ ...one, outputs: inputs[4] ? 3 : 1 })), feeds, wrt);
  });
});

it('gives a query that sees no key zeros and the gradient 0', async () => {
  const model = withLoss(modelOf({ op: 'Attention', form: '', inputs: [q, k, v, closed], opset: 23 }));
  const { x0 } = await modelGradients(model, { x0: q, x1: k, x2: v, x3: closed }, ['x0']);
  // Row 1 of both heads.
  expect([...x0!.slice(4, 8), ...x0!.slice(20, 24)]).toEqual(new Array(8).fill(0));
  expect(x0!.every(Number.isFinite)).toBe(true);
  expect(x0!.filter((slope) => slope !== 0).length).toBeGreaterThan(8);
});
