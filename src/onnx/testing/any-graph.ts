import fc from 'fast-check';
import { arrayTypeOf, DATA_TYPE_CODES, type DataType } from '../data-type.ts';
import type { Attribute, Graph, Node, Value } from '../graph.ts';
import { elementCount, type Tensor } from '../tensor.ts';

const TYPES = Object.keys(DATA_TYPE_CODES) as DataType[];

/** A tensor of any type and of up to a few dozen elements, with any bits. */
const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...TYPES), fc.array(fc.nat(3), { maxLength: 3 }))
  .chain(([type, dims]): fc.Arbitrary<Tensor> => {
    const count = elementCount(dims);
    if (type === 'string') {
      const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 4 }), {
        minLength: count,
        maxLength: count,
      });
      return texts.map((data) => ({ type, dims, data }));
    }
    const ArrayType = arrayTypeOf(type);
    const size = count * ArrayType.BYTES_PER_ELEMENT;
    return fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((bytes) => ({ type, dims, data: new ArrayType(Uint8Array.from(bytes).buffer) }));
  });

const float = fc.float().map(Math.fround);
const integer = fc.maxSafeInteger();
const text = fc.string({ unit: 'grapheme', maxLength: 5 });

const plainAttribute: fc.Arbitrary<Attribute> = fc.oneof(
  integer.map((value): Attribute => ({ kind: 'int', value })),
  float.map((value): Attribute => ({ kind: 'float', value })),
  text.map((value): Attribute => ({ kind: 'string', value })),
  anyTensor.map((value): Attribute => ({ kind: 'tensor', value })),
  fc.array(integer).map((value): Attribute => ({ kind: 'ints', value })),
  fc.array(float).map((value): Attribute => ({ kind: 'floats', value })),
  fc.array(text).map((value): Attribute => ({ kind: 'strings', value })),
);

const dim = fc.oneof(fc.nat(1000), fc.constantFrom('batch', 'sequence'));
const valueType = fc.oneof(
  fc.record({ type: fc.constantFrom(...TYPES), shape: fc.oneof(fc.constant(undefined), fc.array(dim)) }),
  fc.constant({ type: undefined, shape: undefined }),
);

interface Plan {
  inputs: { type: DataType; shape: (number | string)[] }[];
  initializers: Tensor[];
  nodes: {
    opType: string;
    /** Picks among the values so far; every seventh is a missing input. */
    inputs: number[];
    outputs: { type: DataType | undefined; shape: (number | string)[] | undefined }[];
    attributes: Attribute[];
    subgraph: boolean;
  }[];
  outputs: number[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  inputs: fc.array(fc.record({ type: fc.constantFrom(...TYPES), shape: fc.array(dim, { maxLength: 4 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
  initializers: fc.array(anyTensor, { maxLength: 4 }),
  nodes: fc.array(
    fc.record({
      opType: fc.constantFrom('Mix', 'Branch', 'Split'),
      inputs: fc.array(fc.nat(), { maxLength: 4 }),
      outputs: fc.array(valueType, { minLength: 1, maxLength: 3 }),
      attributes: fc.array(plainAttribute, { maxLength: 3 }),
      subgraph: fc.boolean(),
    }),
    { maxLength: 8 },
  ),
  outputs: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
});

/** Any well-formed graph, over operators that do not exist: for files and for passes that only move things. */
export const anyGraph: fc.Arbitrary<Graph> = plan.map((planned) => buildPlan(planned, 'g', []));

function buildPlan(planned: Plan, prefix: string, outer: readonly Value[]): Graph {
  const opsets = new Map([
    ['', 20],
    ['test.domain', 3],
  ]);
  const inputs = planned.inputs.map((type, i): Value => ({ name: `${prefix}/input${i}`, ...type }));
  const initializers = new Map(
    planned.initializers.map((tensor, i): [Value, Tensor] => [
      { name: `${prefix}/weight${i}`, type: tensor.type, shape: tensor.dims },
      tensor,
    ]),
  );
  const values: Value[] = [...outer, ...inputs, ...initializers.keys()];
  const pick = (i: number) => values[i % values.length]!;
  const nodes = planned.nodes.map((step, n): Node => {
    const name = `${prefix}/node${n}`;
    const attributes = new Map(step.attributes.map((attribute, i) => [`attribute${i}`, attribute]));
    if (step.subgraph) {
      const { inputs, initializers, outputs } = planned;
      const nested = { inputs, initializers, outputs, nodes: [{ ...step, subgraph: false }] };
      attributes.set('body', { kind: 'graph', value: buildPlan(nested, `${name}/body`, values) });
    }
    const made = step.outputs.map((type, i): Value => ({ name: `${name}:${i}`, ...type }));
    const node: Node = {
      name,
      opType: step.opType,
      domain: n % 2 === 0 ? 'test.domain' : '',
      inputs: step.inputs.map((i) => (i % 7 === 0 ? null : pick(i))),
      outputs: made.map((value, i) => (i > 0 && value.type === undefined ? null : value)),
      attributes,
    };
    for (const value of node.outputs) if (value) values.push(value);
    return node;
  });
  const own = values.slice(outer.length);
  const outputs = [...new Set(planned.outputs.map((i) => own[i % own.length]!))];
  const metadata = outer.length === 0 ? new Map([['made by', 'a test']]) : new Map<string, string>();
  return { name: prefix, inputs, outputs, nodes, initializers, opsets, metadata };
}
