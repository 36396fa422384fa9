import { floatAttribute, intAttribute, type Node, stringAttribute, type TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { buildScan } from '../scan.ts';
import { type CompositeCall, type Decomposition, inputOf, knownInts } from './decomposition.ts';

/** The state after a step: h [B, H], and c for an LSTM. */
interface State {
  readonly h: TypedValue;
  readonly c: TypedValue | null;
}

/** What one direction of a layer has, without its leading axis. */
interface Direction {
  readonly g: GraphBuilder;
  readonly hidden: number;
  /** [gates H, H] */
  readonly recurrence: TypedValue;
  /** [gates H]: what is added to h R^T. */
  readonly recurrenceBias: TypedValue | null;
  /** [3 H], an LSTM's weights of the cell in its gates; null without. */
  readonly peepholes: TypedValue | null;
  readonly activations: readonly Activation[];
  readonly linearBeforeReset: boolean;
}

type Activation = (x: TypedValue) => TypedValue;

/** The next state from x W^T + Wb [B, gates H] and the one before (null: zeros). */
type Cell = (direction: Direction, x: TypedValue, before: Partial<State>) => State;

interface Kind {
  readonly gates: number;
  /** The default activations of one direction. */
  readonly activations: readonly string[];
  readonly cell: Cell;
  /** Whether its state has a cell beside h. */
  readonly hasCell?: boolean;
}

function parts({ g, hidden }: Direction, x: TypedValue, count: number): TypedValue[] {
  return g.node('Split', [x, g.ints(new Array(count).fill(hidden))], { axis: -1 }, { outputs: count });
}

/** h R^T + Rb; the bias alone where h is zero, null where there is nothing to add. */
function recurrent(
  { g, recurrence, recurrenceBias }: Direction,
  h: TypedValue | undefined,
): TypedValue | null {
  if (!h) return recurrenceBias;
  const product = g.gemm(h, recurrence, null, { transB: true });
  return recurrenceBias ? g.add(product, recurrenceBias) : product;
}

const plus = (g: GraphBuilder, a: TypedValue, b: TypedValue | null) => (b ? g.add(a, b) : a);

/** Elman's: h' = f(x W^T + h R^T + b). */
const simple: Cell = (direction, x, before) => {
  const [activate] = direction.activations as [Activation];
  return { h: activate(plus(direction.g, x, recurrent(direction, before.h))), c: null };
};

/** Hochreiter and Schmidhuber (1997), with forget gates; gates in the order input, output, forget, cell. */
const longShortTerm: Cell = (direction, x, before) => {
  const { g, peepholes } = direction;
  const [gate, squash, squashCell] = direction.activations as [Activation, Activation, Activation];
  const sums = parts(direction, plus(g, x, recurrent(direction, before.h)), 4);
  const [i, o, f, cell] = sums as [TypedValue, TypedValue, TypedValue, TypedValue];
  const [pi, po, pf] = peepholes ? parts(direction, peepholes, 3) : [];
  const peep = (sum: TypedValue, weight: TypedValue | undefined, c: TypedValue | null | undefined) =>
    weight && c ? g.add(sum, g.mul(weight, c)) : sum;
  const fresh = g.mul(gate(peep(i, pi, before.c)), squash(cell));
  const c = before.c ? g.add(g.mul(gate(peep(f, pf, before.c)), before.c), fresh) : fresh;
  return { h: g.mul(gate(peep(o, po, c)), squashCell(c)), c };
};

/** Cho et al. (2014): h' = (1 - z) n + z h; gates in the order update, reset, new. */
const gated: Cell = (direction, x, before) => {
  const { g, hidden, recurrence, recurrenceBias, linearBeforeReset } = direction;
  const [gate, squash] = direction.activations as [Activation, Activation];
  const [xz, xr, xn] = parts(direction, x, 3) as [TypedValue, TypedValue, TypedValue];
  const rows = (from: number, to: number) => ({
    ...direction,
    recurrence: g.slice(recurrence, 0, from * hidden, to * hidden),
    recurrenceBias: recurrenceBias && g.slice(recurrenceBias, 0, from * hidden, to * hidden),
  });
  const both = recurrent(rows(0, 2), before.h);
  const [hz, hr] = both ? parts(direction, both, 2) : [null, null];
  const z = gate(plus(g, xz, hz ?? null));
  const r = gate(plus(g, xr, hr ?? null));
  const last = rows(2, 3);
  const reset = (): TypedValue | null => {
    if (!linearBeforeReset) return recurrent(last, before.h && g.mul(r, before.h));
    const inner = recurrent(last, before.h);
    return inner && g.mul(r, inner);
  };
  const n = squash(plus(g, xn, reset()));
  const kept = g.mul(g.sub(1, z), n);
  return { h: before.h ? g.add(kept, g.mul(z, before.h)) : kept, c: null };
};

/** The activations that gates of exported models have; undefined for another. */
const ACTIVATIONS: Readonly<Record<string, (g: GraphBuilder, x: TypedValue) => TypedValue>> = {
  sigmoid: (g, x) => g.sigmoid(x),
  tanh: (g, x) => g.tanh(x),
  relu: (g, x) => g.relu(x),
};

/** Their names by direction; undefined where one is not known. */
function activationsOf(node: Node, kind: Kind, directions: number): string[][] | undefined {
  const attribute = node.attributes.get('activations');
  const given =
    attribute?.kind === 'strings' && attribute.value.length > 0
      ? attribute.value
      : Array.from({ length: directions }, () => kind.activations).flat();
  const names = given.map((name) => name.toLowerCase());
  const each = kind.activations.length;
  if (names.some((name) => !ACTIVATIONS[name]) || names.length !== directions * each) return undefined;
  return Array.from({ length: directions }, (_, d) => names.slice(d * each, (d + 1) * each));
}

/** Steps that are written one by one. */
const MAX_UNROLLED = 256;

/** What one direction of a layer runs over. */
interface Pass {
  /** [T, B, gates H]: what the inputs bring, with their bias. */
  readonly projected: TypedValue;
  readonly weights: readonly (TypedValue | null)[];
  readonly activations: readonly string[];
  readonly initial: Partial<State>;
  readonly backward: boolean;
  /** [B]: how many steps each text has; null where all have T. */
  readonly lengths: TypedValue | null;
}

/** The outputs of all steps as [T, B, H], and the last state. */
type Run = (
  call: CompositeCall,
  kind: Kind,
  hidden: number,
  pass: Pass,
) => { outputs: TypedValue; last: State };

function directionIn(g: GraphBuilder, node: Node, hidden: number, pass: Pass): Direction {
  const [recurrence, recurrenceBias = null, peepholes = null] = pass.weights;
  return {
    g,
    hidden,
    recurrence: recurrence as TypedValue,
    recurrenceBias,
    peepholes,
    activations: pass.activations.map((name) => (x) => ACTIVATIONS[name]!(g, x)),
    linearBeforeReset: intAttribute(node, 'linear_before_reset', 0) === 1,
  };
}

/** After the end of its text a state stays, and the output is 0. */
function within(
  g: GraphBuilder,
  at: TypedValue,
  lengths: TypedValue,
  after: State,
  before: State,
): { state: State; output: TypedValue } {
  const inside = g.unsqueeze(g.less(at, lengths), [-1]);
  const kept = (now: TypedValue, then: TypedValue) => g.where(inside, now, then);
  const c = after.c && before.c ? kept(after.c, before.c) : null;
  return {
    state: { h: kept(after.h, before.h), c },
    output: g.where(inside, after.h, g.scalar(0, after.h.type)),
  };
}

/** [B, H] of zeros, for a batch of any size. */
function zeros(g: GraphBuilder, projected: TypedValue, hidden: number): TypedValue {
  const batch = projected.shape[1];
  const zero = g.scalar(0, projected.type);
  if (typeof batch === 'number') return g.expand(zero, [batch, hidden]);
  const size = g.op('Shape', [projected], { start: 1, end: 2 });
  return g.op('Expand', [zero, g.concat([size, g.ints([hidden])], 0)]);
}

/** Written out step by step. */
const stepByStep: Run = ({ g, node }, kind, hidden, pass) => {
  const steps = Number(pass.projected.shape[0]);
  const direction = directionIn(g, node, hidden, pass);
  const rows = g
    .node('Split', [pass.projected, g.ints(new Array(steps).fill(1))], { axis: 0 }, { outputs: steps })
    .map((row, at) => ({ row: g.squeeze(row, [0]), at }));
  let state = pass.initial;
  const outputs = (pass.backward ? rows.toReversed() : rows).map(({ row, at }) => {
    const next = kind.cell(direction, row, state);
    if (!pass.lengths) {
      state = next;
      return next.h;
    }
    const masked = within(g, g.scalar(at, 'int64'), pass.lengths, next, state as State);
    state = masked.state;
    return masked.output;
  });
  const ordered = pass.backward ? outputs.toReversed() : outputs;
  const stackedOutputs = g.concat(
    ordered.map((h) => g.unsqueeze(h, [0])),
    0,
  );
  return { outputs: stackedOutputs, last: state as State };
};

/** As a Scan: T is only known when it runs, or large. */
const asScan: Run = ({ g, node }, kind, hidden, pass) => {
  const { projected, backward, lengths } = pass;
  const initial = pass.initial as State;
  const length = g.reshape(g.op('Shape', [projected], { start: 0, end: 1 }), []);
  const places = lengths && g.op('Range', [g.scalar(0, 'int64'), length, g.scalar(1, 'int64')]);
  const scanned = [projected, ...(places ? [places] : [])];
  const states = [initial.h, ...(initial.c ? [initial.c] : [])];
  const result = buildScan(
    g,
    { states, scanned: scanned.map((value) => ({ value, reverse: backward })), reverseOutputs: [backward] },
    (step) => {
      const before: State = { h: step.states[0] as TypedValue, c: step.states[1] ?? null };
      const weights = pass.weights.map((value) => value && step.capture(value));
      const direction = directionIn(step.g, node, hidden, { ...pass, weights });
      const [row, at] = step.rows as [TypedValue, TypedValue];
      const after = kind.cell(direction, row, before);
      const { state, output } = lengths
        ? within(step.g, at, step.capture(lengths), after, before)
        : { state: after, output: after.h };
      return { states: [state.h, ...(state.c ? [state.c] : [])], outputs: [output] };
    },
  );
  const [h, c = null] = result.states as [TypedValue, TypedValue | undefined];
  return { outputs: result.outputs[0] as TypedValue, last: { h, c } };
};

/**
 * A recurrent layer over X [T, B, I] as ordinary operators: step by step where T is a small number, else as a Scan. What
 * remains as it is: another activation than the usual ones, clipping, coupled gates.
 */
function recurrence(kind: Kind): Decomposition {
  return (call) => {
    const { g, node } = call;
    const batchFirst = intAttribute(node, 'layout', 0) === 1;
    const swap = (value: TypedValue) => (batchFirst ? g.transpose(value, [1, 0, 2]) : value);
    const x = swap(inputOf(call, 0));
    const [steps] = x.shape;
    const [w, r] = [inputOf(call, 1), inputOf(call, 2)];
    const [directions, , hidden] = r.shape;
    const other = floatAttribute(node, 'clip', 0) > 0 || intAttribute(node, 'input_forget', 0) === 1;
    if (typeof directions !== 'number' || typeof hidden !== 'number' || other || directions > 2)
      return undefined;
    const activations = activationsOf(node, kind, directions);
    if (!activations) return undefined;
    const known = call.node.inputs[4] ? knownInts(call, 4) : [];
    const lengths = known?.every((length) => length === steps) ? null : g.cast(inputOf(call, 4), 'int64');
    const short = typeof steps === 'number' && steps > 0 && steps <= MAX_UNROLLED;
    const of = (value: TypedValue, d: number) => g.squeeze(g.slice(value, 0, d, d + 1), [0]);
    const optional = (index: number, d: number) => {
      const value = call.inputs[index];
      return value ? of(value, d) : undefined;
    };

    const runs = activations.map((names, d) => {
      const bias = optional(3, d);
      const width = kind.gates * hidden;
      const products = g.matMul(x, g.transpose(of(w, d), [1, 0]));
      const projected = bias ? g.add(products, g.slice(bias, 0, 0, width)) : products;
      const initial = (index: number) => {
        const value = call.inputs[index];
        if (value) return of(swap(value), d);
        // A first step without a state is cheaper where it is written out.
        return short && !lengths ? undefined : zeros(g, projected, hidden);
      };
      const pass: Pass = {
        projected,
        weights: [of(r, d), bias ? g.slice(bias, 0, width, 2 * width) : null, optional(7, d) ?? null],
        activations: names,
        initial: { h: initial(5), ...(kind.hasCell && { c: initial(6) }) } as Partial<State>,
        backward: d === 1 || stringAttribute(node, 'direction', 'forward') === 'reverse',
        lengths,
      };
      return (short ? stepByStep : asScan)(call, kind, hidden, pass);
    });

    const all = g.concat(
      runs.map(({ outputs }) => g.unsqueeze(outputs, [1])),
      1,
    );
    const stacked = (values: readonly TypedValue[]) =>
      swap(
        g.concat(
          values.map((value) => g.unsqueeze(value, [0])),
          0,
        ),
      );
    const cells = runs.flatMap(({ last }) => (last.c ? [last.c] : []));
    return [
      batchFirst ? g.transpose(all, [2, 0, 1, 3]) : all,
      stacked(runs.map(({ last }) => last.h)),
      cells.length > 0 ? stacked(cells) : null,
    ];
  };
}

export const RECURRENT: Record<string, Decomposition> = {
  RNN: recurrence({ gates: 1, activations: ['Tanh'], cell: simple }),
  GRU: recurrence({ gates: 3, activations: ['Sigmoid', 'Tanh'], cell: gated }),
  LSTM: recurrence({
    gates: 4,
    activations: ['Sigmoid', 'Tanh', 'Tanh'],
    cell: longShortTerm,
    hasCell: true,
  }),
};
