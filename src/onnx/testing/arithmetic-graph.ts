import fc from 'fast-check';
import { type AttributeInits, float, toAttributes } from '../attributes.ts';
import type { Graph, Node, Shape, Value } from '../graph.ts';
import { float32, int64, type Tensor } from '../tensor.ts';

/** How one value of an arithmetic graph is made from those before it. */
interface Step {
  kind: number;
  left: number;
  right: number;
}

export interface ArithmeticGraphPlan {
  steps: Step[];
  outputs: number[];
}

export const arithmeticPlan: fc.Arbitrary<ArithmeticGraphPlan> = fc.record({
  steps: fc.array(fc.record({ kind: fc.nat(), left: fc.nat(), right: fc.nat() }), {
    minLength: 1,
    maxLength: 24,
  }),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
});

/** Inputs for an arithmetic graph: small whole numbers, so that sums in any order have the same bits. */
export const ARITHMETIC_FEEDS: Record<string, Tensor> = {
  x: float32([1, -2, 3, 4, 0, -6], [2, 3]),
  y: float32([2, 5, -1, 1, 7, 3], [2, 3]),
};

/**
 * A graph that runs: float32 [2, 3] values from two inputs and some weights, int64 vectors of shape [2] computed from
 * shapes as exporters do it, duplicates, identities and dead ends as they come.
 */
export function arithmeticGraph({ steps, outputs }: ArithmeticGraphPlan): Graph {
  const shape = [2, 3];
  const inputs = ['x', 'y'].map((name): Value => ({ name, type: 'float32', shape }));
  const initializers = new Map<Value, Tensor>();
  const weight = (name: string, tensor: Tensor) => {
    const value: Value = { name, type: tensor.type, shape: tensor.dims };
    initializers.set(value, tensor);
    return value;
  };
  const floats = [
    ...inputs,
    weight('w', float32([1, 2, 3, 1, 2, 3], shape)),
    weight('v', float32([-1, 0, 2, 4, 1, 1], shape)),
  ];
  const vectors = [weight('two-three', int64([2, 3])), weight('three-two', int64([3, 2]))];
  const one = weight('one', int64([1]));
  const zero = weight('zero', int64([0]));
  const nodes: Node[] = [];
  const emit = (
    opType: string,
    ins: readonly (Value | null)[],
    type: 'float32' | 'int64' | 'bool',
    dims: Shape | undefined,
    attributes: AttributeInits = {},
  ): Value => {
    const name = `${opType}_${nodes.length}`;
    // Now and then a type that the file does not say.
    const known = nodes.length % 5 !== 4;
    const value: Value = { name, type: known ? type : undefined, shape: known ? dims : undefined };
    nodes.push({
      name,
      opType,
      domain: '',
      inputs: ins,
      outputs: [value],
      attributes: toAttributes(attributes),
    });
    return value;
  };
  const makers: ((a: Value, b: Value, p: Value, q: Value) => void)[] = [
    (a, b) => floats.push(emit('Add', [a, b], 'float32', shape)),
    (a, b) => floats.push(emit('Sub', [a, b], 'float32', shape)),
    (a, b) => floats.push(emit('Max', [a, b], 'float32', shape)),
    (a) => floats.push(emit('Neg', [a], 'float32', shape)),
    (a) => floats.push(emit('Identity', [a], 'float32', shape)),
    (a) => floats.push(emit('Dropout', [a], 'float32', shape)),
    (a) => floats.push(emit('Cast', [a], 'float32', shape, { to: 1 })),
    (a, b) => {
      const less = emit('Less', [a, b], 'bool', shape);
      floats.push(emit('Where', [less, a, b], 'float32', shape));
    },
    (a) => {
      const turned = emit('Transpose', [a], 'float32', [3, 2], { perm: [1, 0] });
      floats.push(emit('Reshape', [turned, vectors[0]!], 'float32', shape));
    },
    (a) => vectors.push(emit('Shape', [a], 'int64', [2])),
    (_a, _b, p, q) => vectors.push(emit('Add', [p, q], 'int64', [2])),
    (_a, _b, p, q) => vectors.push(emit('Mul', [p, q], 'int64', [2])),
    (_a, _b, p) => {
      const first = emit('Slice', [p, zero, one, zero], 'int64', [1]);
      const last = emit('Gather', [p, one], 'int64', [1], { axis: 0 });
      vectors.push(emit('Concat', [last, first], 'int64', [2], { axis: 0 }));
    },
    (_a, _b, p) => {
      const scalar = emit('ReduceMax', [p], 'int64', [], { keepdims: 0 });
      const vector = emit('Unsqueeze', [scalar, zero], 'int64', [1]);
      vectors.push(emit('Expand', [vector, emit('Shape', [p], 'int64', [1])], 'int64', [2]));
    },
    (a, _b, p) => {
      // A float constant of a computed shape, as attention masks begin.
      const size = emit('Min', [p, emit('Shape', [a], 'int64', [2])], 'int64', [2]);
      const positive = emit('Max', [size, emit('Shape', [a], 'int64', [2])], 'int64', [2]);
      const filled = emit('ConstantOfShape', [positive], 'float32', shape, { value: float32([0.5]) });
      floats.push(emit('Sub', [a, filled], 'float32', shape));
    },
    () => floats.push(emit('Constant', [], 'float32', shape, { value: float32([6, 5, 4, 3, 2, 1], shape) })),
    (a) => floats.push(emit('LeakyRelu', [a], 'float32', shape, { alpha: float(0.5) })),
  ];
  for (const { kind, left, right } of steps) {
    const at = (list: Value[], i: number) => list[i % list.length]!;
    makers[kind % makers.length]!(at(floats, left), at(floats, right), at(vectors, left), at(vectors, right));
  }
  const made = nodes.flatMap((node) => node.outputs as Value[]);
  return {
    name: 'arithmetic',
    inputs,
    outputs: [...new Set(outputs.map((i) => made[i % made.length]!))],
    nodes,
    initializers,
    opsets: new Map([['', 18]]),
    metadata: new Map(),
  };
}
