import { type Graph, intAttribute, type Node, type TypedValue, type Value } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { toNumbers } from '../tensor.ts';

/** What an operator at the end of a classifier makes of its scores. */
export type ScoreForm = 'softmax' | 'log-softmax' | 'sigmoid';

/** The operator that made probabilities, and everything behind it that leaves the classes apart. */
export interface FormedScores {
  readonly form: ScoreForm;
  /** The scores before, as they went in. */
  readonly scores: Value;
  /** What makes probabilities of them, and what rounds or limits those: an Identity in the place of each gives the scores. */
  readonly nodes: readonly Node[];
}

/** These change where numbers lie, or their type: nothing else. */
const MOVING: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
]);
/** These round or limit probabilities, by ranges that scores do not have. */
const LIMITING: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear', 'Clip']);

/**
 * Whether an output is probabilities (Softmax), their logarithm or sigmoids of scores, told by the operators that end in
 * it, written whole or in parts as exporters write them; undefined where it ends in none.
 */
export function scoreForm(graph: Graph, output: Value): FormedScores | undefined {
  const producers = new Map<Value, Node>();
  for (const node of graph.nodes) for (const value of node.outputs) if (value) producers.set(value, node);
  const limiting: Node[] = [];
  let at: Value | undefined = output;
  for (;;) {
    const node: Node | undefined = at && producers.get(at);
    if (node?.domain !== '') return undefined;
    const found = endOf(graph, producers, node);
    if (found) return { ...found, nodes: [...limiting, ...found.nodes] };
    if (LIMITING.has(node.opType)) limiting.push(node);
    else if (!MOVING.has(node.opType)) return undefined;
    at = node.inputs[0] ?? undefined;
  }
}

/** What a node makes of scores, when it is the last of those that make probabilities. */
function endOf(graph: Graph, producers: ReadonlyMap<Value, Node>, node: Node): FormedScores | undefined {
  const [a, b] = node.inputs;
  const before = (value: Value | null | undefined) => (value ? producers.get(value) : undefined);
  const whole = (form: ScoreForm, nodes: readonly Node[] = [node]) =>
    a ? { form, scores: a, nodes } : undefined;
  switch (node.opType) {
    case 'Softmax':
    case 'LogSoftmax':
      if (!alongClasses(graph, node)) return undefined;
      return whole(node.opType === 'Softmax' ? 'softmax' : 'log-softmax');
    case 'Sigmoid':
      return whole('sigmoid');
    case 'Log': {
      const inner = before(a);
      const softmax = inner?.opType === 'Softmax' && alongClasses(graph, inner) ? inner.inputs[0] : undefined;
      return softmax ? { form: 'log-softmax', scores: softmax, nodes: [node] } : undefined;
    }
    case 'Exp': {
      const inner = before(a);
      if (inner?.opType !== 'LogSoftmax' || !alongClasses(graph, inner)) return undefined;
      return whole('softmax');
    }
    case 'Div': {
      const [above, below] = [before(a), before(b)];
      const summed = below?.opType === 'ReduceSum' ? below.inputs[0] : undefined;
      const scores = above?.opType === 'Exp' ? above.inputs[0] : undefined;
      return scores && summed === a ? { form: 'softmax', scores, nodes: [node] } : undefined;
    }
    case 'Reciprocal':
      return sigmoidInParts(graph, producers, node, b === undefined ? a : undefined);
    default:
      return undefined;
  }
}

/** 1 / (1 + exp(-x)). */
function sigmoidInParts(
  graph: Graph,
  producers: ReadonlyMap<Value, Node>,
  node: Node,
  below: Value | null | undefined,
): FormedScores | undefined {
  const sum = below ? producers.get(below) : undefined;
  if (sum?.opType !== 'Add') return undefined;
  const isOne = (value: Value | null | undefined) => {
    const content = value && graph.initializers.get(value);
    return (
      content !== undefined && content !== null && content.data.length === 1 && toNumbers(content)[0] === 1
    );
  };
  const power = isOne(sum.inputs[0]) ? sum.inputs[1] : isOne(sum.inputs[1]) ? sum.inputs[0] : undefined;
  const exp = power ? producers.get(power) : undefined;
  const negated = exp?.opType === 'Exp' && exp.inputs[0] ? producers.get(exp.inputs[0]) : undefined;
  const scores = negated?.opType === 'Neg' ? negated.inputs[0] : undefined;
  return scores ? { form: 'sigmoid', scores, nodes: [node] } : undefined;
}

/** Whether a softmax is over the classes: the last axis, or the second one with only sizes of 1 behind it. */
function alongClasses(graph: Graph, node: Node): boolean {
  const opset = graph.opsets.get('') ?? 13;
  const axis = intAttribute(node, 'axis', opset < 13 ? 1 : -1);
  const shape = node.outputs[0]?.shape ?? node.inputs[0]?.shape;
  if (axis === -1 || axis === 1) return true;
  return shape !== undefined && (axis === shape.length - 1 || axis + shape.length === 1);
}

/** The graph with the scores themselves where `found` has probabilities; all values keep their names. */
export function withScores(graph: Graph, found: FormedScores): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    if (!type || !shape) throw new Error(`the input ${name} has no type or shape`);
    bound.set(name, g.input(name, type, shape));
  }
  const last = found.nodes.at(-1);
  const values = g.copy(graph, bound, '', (node, place) => {
    const from = found.nodes.includes(node) && (node === last ? found.scores : node.inputs[0]);
    const scores = from ? place.read(from) : undefined;
    return scores && [scores];
  });
  for (const output of graph.outputs) g.output(values.get(output) as Value);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}
