import type { Node, Value } from '../graph.ts';
import type { AttentionSite } from './attention-sites.ts';
import type { ModelPaths } from './model-paths.ts';

/** What a normalisation is made of, whole or in parts. */
const NORMALIZING: ReadonlySet<string> = new Set([
  'LayerNormalization',
  'RMSNormalization',
  'SimplifiedLayerNormalization',
  'Sub',
  'Mul',
  'Div',
  'Add',
  'Identity',
  'Cast',
  'QuantizeLinear',
  'DequantizeLinear',
]);
/** What hands a state on: in another type, or rounded to the steps of a quantised model. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Dropout',
  'QuantizeLinear',
  'DequantizeLinear',
]);

/**
 * For each attention, the hidden state at the end of its layer, float [batch, sequence, width]: the last waist before the
 * next attention where residual paths have come together; with the normalisation that follows it where the next layer's
 * residual path begins after that one. undefined where there is none, and where an attention before has the same.
 */
export function hiddenStates(paths: ModelPaths, sites: readonly AttentionSite[]): (Value | undefined)[] {
  const states = new Set<Value>();
  /** Of the layers that another one follows. */
  let joinsInLayer = 0;
  return sites.map((site) => {
    const start = site.softmax.outputs[0]!;
    const following = paths.after(start);
    const next = sites.find((other) => other !== site && following.has(other.softmax));
    const limit = next ? paths.positionOf(next.softmax) : Number.POSITIVE_INFINITY;
    // One token that was cut out with its axis kept is no state of the sequence.
    const queries = paths.shapeOf(start)?.at(-2);
    const waists = paths
      .waistsAfter(start)
      .filter(
        (value) =>
          paths.positionOf(paths.producerOf(value)!) < limit &&
          paths.isBatchOf(value, 3) &&
          (paths.shapeOf(value)![1] !== 1 || queries === 1),
      );
    const joins = waists.filter((value) => isJoin(paths, paths.producerOf(value)!));
    if (next) joinsInLayer = joins.length;
    // A classifier's own residual paths are no part of the last layer.
    const own = next || joinsInLayer === 0 ? joins : joins.slice(0, joinsInLayer);
    const join = own.at(-1);
    if (!join) return undefined;
    const after = waists.slice(waists.indexOf(join) + 1);
    const state =
      next || normalizesAfter(paths, own) ? endOfNorm(paths, join, after) : endOfName(paths, join, after);
    if (states.has(state)) return undefined;
    states.add(state);
    return state;
  });
}

/** Whether two paths of data come together: not where a bias is added. */
export function isJoin(paths: ModelPaths, node: Node): boolean {
  const [a, b] = node.inputs;
  return node.opType === 'Add' && paths.changes(a) && paths.changes(b);
}

/** Whether residual paths begin after a normalisation: the last join of the layer reads no other one as it is. */
function normalizesAfter(paths: ModelPaths, joins: readonly Value[]): boolean {
  const last = joins.at(-1)!;
  const before = new Set(joins.slice(0, -1));
  if (before.size === 0) return false;
  return !paths.producerOf(last)!.inputs.some((input) => {
    let at = input;
    for (;;) {
      if (!at) return false;
      if (before.has(at)) return true;
      const producer = paths.producerOf(at);
      if (!producer || !PASSED_ON.has(producer.opType)) return false;
      at = producer.inputs[0] ?? null;
    }
  });
}

/** The end of the normalisation right behind a join, among the waists that follow it; the join where there is none. */
function endOfNorm(paths: ModelPaths, join: Value, after: readonly Value[]): Value {
  let end = join;
  for (const value of after) {
    const node = paths.producerOf(value)!;
    if (!NORMALIZING.has(node.opType) || isJoinOfOthers(paths, node, join)) break;
    if (!PASSED_ON.has(node.opType) || node.opType === 'Identity') end = value;
  }
  return end;
}

/** Whether a node reads data that does not come from `origin`, like a mask. */
function isJoinOfOthers(paths: ModelPaths, node: Node, origin: Value): boolean {
  const position = paths.positionOf(paths.producerOf(origin)!);
  const seen = new Set<Value>();
  const fromOrigin = (value: Value): boolean => {
    if (value === origin || !paths.changes(value) || seen.has(value)) return true;
    seen.add(value);
    const producer = paths.producerOf(value);
    if (!producer || paths.positionOf(producer) < position) return false;
    return producer.inputs.every((input) => !input || fromOrigin(input));
  };
  return !node.inputs.every((input) => !input || fromOrigin(input));
}

/** The last name that a model gives a value by Identities. */
function endOfName(paths: ModelPaths, join: Value, after: readonly Value[]): Value {
  let end = join;
  for (const value of after) {
    const node = paths.producerOf(value)!;
    if (node.opType !== 'Identity' || node.inputs[0] !== end) break;
    end = value;
  }
  return end;
}
