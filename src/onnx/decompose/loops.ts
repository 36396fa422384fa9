import { type Graph, intAttribute, intsAttribute, type Node, type TypedValue, type Value } from '../graph.ts';
import { buildScan } from '../scan.ts';
import { copyBody } from '../scan-body.ts';
import { type CompositeCall, type Decomposition, knownInts } from './decomposition.ts';

/** Steps that are written out one by one, and operators that this may come to. */
const MAX_STEPS = 512;
const MAX_OPERATORS = 20_000;

function bodyOf(node: Node): Graph | undefined {
  const body = node.attributes.get('body');
  return body?.kind === 'graph' ? body.value : undefined;
}

/** Rows stacked along a new axis. */
function stacked({ g }: CompositeCall, rows: readonly TypedValue[], axis = 0): TypedValue {
  return g.concat(
    rows.map((row) => g.unsqueeze(row, [axis])),
    axis,
  );
}

/** All outputs, or undefined where the type of one is not known. */
function whole(values: readonly (TypedValue | undefined)[]): TypedValue[] | undefined {
  return values.every((value) => value !== undefined) ? (values as TypedValue[]) : undefined;
}

/**
 * A Loop whose steps can be told: its trip count is known, and its condition stays true or ends it at a known step. Each
 * step is a copy of the body. With a count that is only known when it runs, or a large one, it becomes a Scan.
 */
const loop: Decomposition = (call) => {
  const { g, node, inputs, place } = call;
  const body = bodyOf(node);
  const initial = whole(inputs.slice(2).map((value) => value ?? undefined));
  if (!body || !initial || inputs.length < 2) return undefined;
  const trips = node.inputs[0] ? knownInts(call, 0)?.[0] : Number.POSITIVE_INFINITY;
  const start = node.inputs[1] ? inputs[1] : g.scalar(1, 'bool');
  if (!start) return undefined;
  const count = trips === undefined ? undefined : Math.max(0, trips);
  const long = count === undefined || (count !== Number.POSITIVE_INFINITY && count > MAX_STEPS);
  if (long || Math.min(count, MAX_STEPS) * body.nodes.length > MAX_OPERATORS * 4)
    return asScan(call, body, initial);

  let going = g.constantOf(start)?.data[0];
  let [states, condition] = [initial, start];
  const rows: TypedValue[][] = [];
  let steps = 0;
  for (; steps < count && going; steps++) {
    if (steps >= MAX_STEPS || steps * body.nodes.length > MAX_OPERATORS) return undefined;
    const outputs = whole(place.copyGraph(body, [g.scalar(steps, 'int64'), condition, ...states]));
    if (!outputs) return undefined;
    [condition, states] = [outputs[0] as TypedValue, outputs.slice(1, 1 + initial.length)];
    rows.push(outputs.slice(1 + initial.length));
    // What the body says of an unchanged condition is the condition.
    going = g.constantOf(condition)?.data[0];
    if (going === undefined && steps + 1 < count) return undefined;
  }
  // A condition that is not known at all: whether there is a first step is not, either.
  if (steps === 0 && count > 0 && going === undefined) return undefined;
  const lists = body.outputs.length - 1 - initial.length;
  if (lists > 0 && steps === 0) return undefined;
  return [
    ...states,
    ...Array.from({ length: lists }, (_, i) =>
      stacked(
        call,
        rows.map((row) => row[i] as TypedValue),
      ),
    ),
  ];
};

/** A Loop whose condition is passed on as it is, over its counter. */
function asScan(
  { g, node, inputs, place }: CompositeCall,
  body: Graph,
  initial: readonly TypedValue[],
): readonly TypedValue[] | undefined {
  const [count, condition] = inputs;
  const known = condition ? g.constantOf(condition)?.data[0] : 1;
  const [, passed] = body.inputs;
  const passes = body.outputs[0] === passed || isCopyOf(body, passed);
  if (!count || (node.inputs[1] && !known) || !passes) return undefined;
  const trips = g.reshape(g.cast(count, 'int64'), []);
  const places = g.op('Range', [g.scalar(0, 'int64'), trips, g.scalar(1, 'int64')]);
  const result = buildScan(g, { states: initial, scanned: [{ value: places }] }, (step) => {
    const [at] = step.rows as [TypedValue];
    const outputs = copyBody(step.g, body, [at, step.g.scalar(1, 'bool'), ...step.states], (value) => {
      const outer = place.read(value);
      return outer && step.capture(outer);
    });
    if (!outputs) throw new Error('types in its body are not known');
    return { states: outputs.slice(1, 1 + initial.length), outputs: outputs.slice(1 + initial.length) };
  });
  return [...result.states, ...result.outputs];
}

/** Whether the first output of a body is its condition, through Identities, or always true. */
function isCopyOf(body: Graph, condition: Graph['inputs'][number] | undefined): boolean {
  let at: Value | undefined = body.outputs[0];
  for (let hops = 0; hops < 8 && at; hops++) {
    if (at === condition) return true;
    const constant = body.initializers.get(at);
    if (constant) return Boolean(constant.data[0]);
    const node: Node | undefined = body.nodes.find(({ outputs }) => outputs[0] === at);
    if (node?.opType === 'Constant') {
      const value = node.attributes.get('value');
      return value?.kind === 'tensor' && Boolean(value.value.data[0]);
    }
    if (node?.opType !== 'Identity') return false;
    at = node.inputs[0] ?? undefined;
  }
  return false;
}

/** A Scan over a few rows, written out; over many or an unknown number, a Scan along the first axis. */
const scan: Decomposition = (call) => {
  const { g, node, inputs, place } = call;
  const body = bodyOf(node);
  const count = intAttribute(node, 'num_scan_inputs', 0);
  const given = whole(inputs.map((value) => value ?? undefined));
  if (!body || !given || count < 1 || count > given.length || g.opset < 9) return undefined;
  const n = given.length - count;
  const states = given.slice(0, n);
  const axes = intsAttribute(node, 'scan_input_axes') ?? [];
  const outputAxes = intsAttribute(node, 'scan_output_axes') ?? [];
  const reversed = (list: 'scan_input_directions' | 'scan_output_directions', i: number) =>
    intsAttribute(node, list)?.[i] === 1;
  const scanned = given.slice(n).map((value, i) => movedAxis(call, value, axes[i] ?? 0, 0));
  const steps = scanned[0]?.shape[0];
  const outputs = body.outputs.length - n;
  const put = (value: TypedValue, i: number) => movedAxis(call, value, 0, outputAxes[i] ?? 0);

  if (
    typeof steps === 'number' &&
    steps > 0 &&
    steps <= MAX_STEPS &&
    steps * body.nodes.length <= MAX_OPERATORS
  ) {
    let now = states;
    const rows: TypedValue[][] = [];
    for (let at = 0; at < steps; at++) {
      const taken = scanned.map((value, i) => {
        const place = reversed('scan_input_directions', i) ? steps - 1 - at : at;
        return g.squeeze(g.slice(value, 0, place, place + 1), [0]);
      });
      const found = whole(place.copyGraph(body, [...now, ...taken]));
      if (!found) return undefined;
      now = found.slice(0, n);
      rows.push(found.slice(n));
    }
    const lists = Array.from({ length: outputs }, (_, i) => {
      const list = rows.map((row) => row[i] as TypedValue);
      return put(stacked(call, reversed('scan_output_directions', i) ? list.reverse() : list), i);
    });
    return [...now, ...lists];
  }
  const result = buildScan(
    g,
    {
      states,
      scanned: scanned.map((value, i) => ({ value, reverse: reversed('scan_input_directions', i) })),
      reverseOutputs: Array.from({ length: outputs }, (_, i) => reversed('scan_output_directions', i)),
    },
    (step) => {
      const found = copyBody(step.g, body, [...step.states, ...step.rows], (value) => {
        const outer = place.read(value);
        return outer && step.capture(outer);
      });
      if (!found) throw new Error('types in its body are not known');
      return { states: found.slice(0, n), outputs: found.slice(n) };
    },
  );
  return [...result.states, ...result.outputs.map(put)];
};

/** The same elements with one axis at another place. */
function movedAxis({ g }: CompositeCall, value: TypedValue, from: number, to: number): TypedValue {
  const rank = value.shape.length;
  const [a, b] = [from, to].map((axis) => (axis < 0 ? axis + rank : axis)) as [number, number];
  if (a === b) return value;
  const order = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== a);
  return g.transpose(value, order.toSpliced(b, 0, a));
}

export const LOOPS: Record<string, Decomposition> = { Loop: loop, Scan: scan };
