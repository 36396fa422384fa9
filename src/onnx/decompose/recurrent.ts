import { floatAttribute, intAttribute, stringAttribute, type TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
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
function activationsOf(call: CompositeCall, kind: Kind, directions: number): Activation[][] | undefined {
  const { g, node } = call;
  const attribute = node.attributes.get('activations');
  const names =
    attribute?.kind === 'strings' && attribute.value.length > 0
      ? attribute.value
      : Array.from({ length: directions }, () => kind.activations).flat();
  const known: Record<string, Activation> = {
    sigmoid: (x) => g.sigmoid(x),
    tanh: (x) => g.tanh(x),
    relu: (x) => g.relu(x),
  };
  const found = names.map((name) => known[name.toLowerCase()]);
  if (found.some((one) => !one) || found.length !== directions * kind.activations.length) return undefined;
  return Array.from({ length: directions }, (_, d) =>
    (found as Activation[]).slice(d * kind.activations.length, (d + 1) * kind.activations.length),
  );
}

/** Steps that are written one by one. */
const MAX_UNROLLED = 1024;

/**
 * A recurrent layer written out step by step: X [T, B, I] with a known T. What remains as it is: another activation
 * than the usual ones, clipping, coupled gates, texts of several lengths, and a length that is only known when it runs.
 */
function unrolled(kind: Kind): Decomposition {
  return (call) => {
    const { g, node } = call;
    const batchFirst = intAttribute(node, 'layout', 0) === 1;
    const swap = (value: TypedValue) => (batchFirst ? g.transpose(value, [1, 0, 2]) : value);
    const x = swap(inputOf(call, 0));
    const [steps] = x.shape;
    const [w, r] = [inputOf(call, 1), inputOf(call, 2)];
    const [directions, , hidden] = r.shape;
    const lengths = call.node.inputs[4] ? knownInts(call, 4) : [];
    const other =
      floatAttribute(node, 'clip', 0) > 0 ||
      intAttribute(node, 'input_forget', 0) === 1 ||
      !lengths?.every((length) => length === steps);
    if (
      typeof steps !== 'number' ||
      steps > MAX_UNROLLED ||
      typeof directions !== 'number' ||
      typeof hidden !== 'number' ||
      other
    )
      return undefined;
    const activations = activationsOf(call, kind, directions);
    if (!activations) return undefined;
    const backward = (d: number) => d === 1 || stringAttribute(node, 'direction', 'forward') === 'reverse';
    const of = (value: TypedValue, d: number) => g.squeeze(g.slice(value, 0, d, d + 1), [0]);
    const optional = (index: number, d: number) => {
      const value = call.inputs[index];
      return value ? of(value, d) : undefined;
    };
    const initial = (index: number, d: number) => {
      const value = call.inputs[index];
      return value ? of(swap(value), d) : undefined;
    };

    const runs = activations.map((activate, d) => {
      const bias = optional(3, d);
      const width = kind.gates * hidden;
      const direction: Direction = {
        g,
        hidden,
        recurrence: of(r, d),
        recurrenceBias: bias ? g.slice(bias, 0, width, 2 * width) : null,
        peepholes: optional(7, d) ?? null,
        activations: activate,
        linearBeforeReset: intAttribute(node, 'linear_before_reset', 0) === 1,
      };
      const products = g.matMul(x, g.transpose(of(w, d), [1, 0]));
      const projected = bias ? g.add(products, g.slice(bias, 0, 0, width)) : products;
      const rows = g
        .node('Split', [projected, g.ints(new Array(steps).fill(1))], { axis: 0 }, { outputs: steps })
        .map((row) => g.squeeze(row, [0]));
      const ordered = backward(d) ? rows.toReversed() : rows;
      let state: Partial<State> = { h: initial(5, d), c: initial(6, d) };
      const outputs = ordered.map((row) => {
        state = kind.cell(direction, row, state);
        return state.h as TypedValue;
      });
      return { outputs: backward(d) ? outputs.toReversed() : outputs, last: state as State };
    });

    const all = g.concat(
      runs.map(({ outputs }) =>
        g.concat(
          outputs.map((h) => g.unsqueeze(h, [0, 1])),
          0,
        ),
      ),
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
  RNN: unrolled({ gates: 1, activations: ['Tanh'], cell: simple }),
  GRU: unrolled({ gates: 3, activations: ['Sigmoid', 'Tanh'], cell: gated }),
  LSTM: unrolled({ gates: 4, activations: ['Sigmoid', 'Tanh', 'Tanh'], cell: longShortTerm }),
};
