import { createNodeEngine } from '../../engine/node.ts';
import { randomStream } from '../../random.ts';
import { type AttributeInits, toAttributes } from '../attributes.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { float32, type Tensor, tensor, toNumbers } from '../tensor.ts';
import { writeModel } from '../write-model.ts';
import { graphOf, valueNamed } from './small-graph.ts';

const engine = createNodeEngine({ threads: 1 });

/** Standard normal float32. */
export function normal(...dims: number[]): Tensor {
  const random = randomStream(dims.length, 'decompose', ...dims);
  const size = dims.reduce((a, b) => a * b, 1);
  return float32(
    Float32Array.from({ length: size }, () => random.normal()),
    dims,
  );
}
export const int32 = (values: number[], dims = [values.length]) =>
  tensor('int32', dims, Int32Array.from(values));

/** A node with what goes into it. */
export interface OneNode {
  readonly op: string;
  readonly form: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly attributes?: AttributeInits;
  /** How many outputs are compared (1). */
  readonly outputs?: number;
  readonly opset?: number;
}

/** A model of one node: its inputs are the graph's. */
export function modelOf({ op, inputs, attributes = {}, outputs = 1, opset = 18 }: OneNode): Graph {
  const [opType, domain] = op.includes('::') ? [op.split('::')[1]!, op.split('::')[0]!] : [op, ''];
  const values = inputs.map((input, i) => input && valueNamed(`x${i}`, input.type, input.dims));
  const results = Array.from(
    { length: outputs },
    (_, i): Value => ({
      name: `y${i}`,
      type: inputs[0]?.type === 'float16' ? 'float16' : 'float32',
      shape: undefined,
    }),
  );
  const node: Node = {
    name: 'node',
    opType,
    domain,
    inputs: values,
    outputs: results,
    attributes: toAttributes(attributes),
  };
  const graph = graphOf(
    values.filter((value) => value !== null),
    [node],
    results,
  );
  return { ...graph, opsets: new Map([['', opset], ...(domain ? [[domain, 1] as const] : [])]) };
}

/** The outputs of a model of one node. */
export async function run(graph: Graph, inputs: OneNode['inputs']): Promise<number[][]> {
  const feeds = Object.fromEntries(inputs.flatMap((input, i) => (input ? [[`x${i}`, input]] : [])));
  const session = await engine.load(writeModel(graph));
  const results = await session.run(feeds);
  await session.release();
  return graph.outputs.map(({ name }) => toNumbers(results[name] as Tensor));
}
