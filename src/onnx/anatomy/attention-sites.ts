import { intAttribute, type Node, type Value } from '../graph.ts';
import type { AttentionMap } from './anatomy.ts';
import type { ModelPaths } from './model-paths.ts';

/** Where a model attends: a Softmax over keys whose result is multiplied with values. */
export interface AttentionSite {
  readonly softmax: Node;
  /** What the distributions are multiplied with. */
  readonly attended: readonly Value[];
  /** Absent where the model holds no [batch, heads, queries, keys]: heads laid into the batch, windows of an image. */
  readonly map?: AttentionMap;
}

/** What may lie between the Softmax and the product with the values, and changes no distribution in evaluation. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'Identity',
  'Dropout',
  'Cast',
  'Where',
  'IsNaN',
  'Mul',
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'QuantizeLinear',
  'DequantizeLinear',
]);
const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'FusedMatMul', 'Einsum', 'QLinearMatMul']);

/**
 * Every attention of a sequence to itself on the way to the output, in graph order. What attends to another sequence (a
 * decoder to its encoder) is a part of the layer before it.
 */
export function attentionSites(paths: ModelPaths): AttentionSite[] {
  const sites = paths.nodes.flatMap((node) => (node.opType === 'Softmax' ? (siteOf(paths, node) ?? []) : []));
  const after = sites.map(({ softmax }) => paths.after(softmax.outputs[0]!));
  const isCross = ({ softmax, attended }: AttentionSite) =>
    after.some(
      (reached) => reached.has(softmax) && attended.every((value) => !comesFrom(paths, value, reached)),
    );
  return sites.filter((site) => !isCross(site));
}

function comesFrom(paths: ModelPaths, value: Value, nodes: ReadonlySet<Node>): boolean {
  const producer = paths.producerOf(value);
  return producer !== undefined && nodes.has(producer);
}

function siteOf(paths: ModelPaths, softmax: Node): AttentionSite | undefined {
  const result = softmax.outputs[0];
  const rank = (result && paths.shapeOf(result)?.length) ?? 0;
  if (!result || rank < 3 || !paths.changes(result) || !paths.reachesOutput(result)) return undefined;
  const axis = intAttribute(softmax, 'axis', -1);
  if (axis !== -1 && axis !== rank - 1) return undefined;
  const reached = passedOn(paths, result);
  const values = reached.flatMap((value) => multipliedWith(paths, value));
  if (values.length === 0) return undefined;
  const probabilities = namedProbabilities(paths, result, reached);
  if (!probabilities) return { softmax, attended: values };
  const [, heads] = paths.shapeOf(probabilities)!;
  const byHead = values.find((value) => paths.isBatchOf(value, 4) && paths.shapeOf(value)![1] === heads);
  return {
    softmax,
    attended: values,
    map: { probabilities: probabilities.name, heads: heads!, ...(byHead && { values: byHead.name }) },
  };
}

/** The result of the Softmax and what it is passed on as. */
function passedOn(paths: ModelPaths, result: Value): Value[] {
  const reached = new Set<Value>([result]);
  for (const value of reached) {
    for (const consumer of paths.consumersOf(value)) {
      const output = consumer.outputs[0];
      if (PASSED_ON.has(consumer.opType) && output) reached.add(output);
    }
  }
  return [...reached];
}

/** The values that a product multiplies `value` with. */
function multipliedWith(paths: ModelPaths, value: Value): Value[] {
  return paths
    .consumersOf(value)
    .filter(({ opType }) => PRODUCTS.has(opType))
    .flatMap(({ inputs }) =>
      inputs.filter((input): input is Value => input !== value && paths.changes(input)),
    );
}

/**
 * The distributions as [batch, heads, queries, keys]: under the name that the model gives them by an Identity, and without
 * the NaN of rows that see nothing where the model takes those out.
 */
function namedProbabilities(paths: ModelPaths, result: Value, reached: readonly Value[]): Value | undefined {
  if (!paths.isBatchOf(result, 4)) {
    const apart = reached.find((value) => {
      const producer = paths.producerOf(value);
      return producer?.opType === 'Reshape' && producer.inputs[0] === result && paths.isBatchOf(value, 4);
    });
    return apart && sameKeys(paths, apart, result) ? apart : undefined;
  }
  let named = result;
  for (;;) {
    const consumers = paths.consumersOf(named);
    const next = consumers.find((node) => node.opType === 'Identity' || guardsNaN(paths, node, named));
    if (!next?.outputs[0] || !paths.isBatchOf(next.outputs[0], 4)) return named;
    named = next.outputs[0];
  }
}

function guardsNaN(paths: ModelPaths, node: Node, value: Value): boolean {
  const [condition, , otherwise] = node.inputs;
  if (node.opType !== 'Where' || otherwise !== value || !condition) return false;
  const test = paths.producerOf(condition);
  return test?.opType === 'IsNaN' && test.inputs[0] === value;
}

function sameKeys(paths: ModelPaths, a: Value, b: Value): boolean {
  const [x, y] = [paths.shapeOf(a)!, paths.shapeOf(b)!];
  return x.at(-1) === y.at(-1) && x.at(-2) === y.at(-2);
}
