import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { checkGradients } from '../testing/check-gradients.ts';

const size = fc.integer({ min: 1, max: 4 });
const shape = (min = 1, max = 3) => fc.array(size, { minLength: min, maxLength: max });
const seed = fc.integer({ min: 0, max: 1e6 });

/** A shape that broadcasts with `full`: some leading axes left out, some sizes 1. */
const broadcastable = (full: number[]) =>
  fc
    .tuple(fc.integer({ min: 0, max: full.length }), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }))
    .map(([lead, ones]) => full.slice(lead).map((dim, i) => (ones[i] ? 1 : dim)));

/** Runs a property on a few random cases; always the same ones, so that a failure can be repeated. */
function holds<T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, check), { numRuns: 8, seed: 20 });
}

const positive = (random: { uniform(): number }) => 0.5 + random.uniform();

describe('gradients hold for random shapes', () => {
  it('of broadcast operands', () =>
    holds(
      shape(1, 3).chain((full) =>
        fc.record({
          a: broadcastable(full),
          b: broadcastable(full),
          c: broadcastable(full),
          op: fc.constantFrom('add', 'sub', 'mul', 'div', 'pow'),
          seed,
        }),
      ),
      async ({ a, b, c, op, seed }) => {
        const build = (g: GraphBuilder, [p, q, r]: TypedValue[]) =>
          g.mul(g[op as 'add' | 'sub' | 'mul' | 'div' | 'pow'](p, q), r);
        const inputs = [a, b, c].map((dims) => ({ shape: dims, draw: positive }));
        await checkGradients({ inputs, build, seed });
      },
    ));

  it('of reductions over any axes, counted from either end', () =>
    holds(
      shape(1, 4).chain((dims) =>
        fc.record({
          dims: fc.constant(dims),
          axes: fc.uniqueArray(fc.integer({ min: -dims.length, max: dims.length - 1 }), {
            selector: (axis) => (axis + dims.length) % dims.length,
          }),
          keepDims: fc.boolean(),
          op: fc.constantFrom('reduceSum', 'reduceMean', 'reduceSumSquare'),
          seed,
        }),
      ),
      async ({ dims, axes, keepDims, op, seed }) => {
        const build = (g: GraphBuilder, [x]: TypedValue[]) => {
          const options = axes.length > 0 ? { axes, keepDims } : { keepDims };
          return g.square(g[op as 'reduceSum' | 'reduceMean' | 'reduceSumSquare'](x, options));
        };
        await checkGradients({ inputs: [{ shape: dims }], build, seed });
      },
    ));

  it('of matrix products of any ranks', () =>
    holds(
      fc.record({
        lead: shape(0, 2),
        n: size,
        k: size,
        m: size,
        vectors: fc.constantFrom('', 'a', 'b', 'ab'),
        shared: fc.constantFrom('none', 'a', 'b'),
        seed,
      }),
      async ({ lead, n, k, m, vectors, shared, seed }) => {
        const a = vectors.includes('a') ? [k] : [...(shared === 'a' ? lead.map(() => 1) : lead), n, k];
        const b = vectors.includes('b') ? [k] : [...(shared === 'b' ? [] : lead), k, m];
        await checkGradients({
          inputs: [{ shape: a }, { shape: b }],
          build: (g, [p, q]) => g.matMul(p, q),
          seed,
        });
      },
    ));

  it('of slices with any start, end and step', () =>
    holds(
      shape(1, 3).chain((dims) =>
        fc.record({
          dims: fc.constant(dims.map((dim) => dim + 2)),
          axis: fc.integer({ min: -dims.length, max: dims.length - 1 }),
          start: fc.integer({ min: -8, max: 8 }),
          end: fc.integer({ min: -8, max: 8 }),
          step: fc.constantFrom(1, 2, 3, -1, -2, -3),
          seed,
        }),
      ),
      async ({ dims, axis, start, end, step, seed }) => {
        const build = (g: GraphBuilder, [x]: TypedValue[]) => g.square(g.slice(x, axis, start, end, step));
        await checkGradients({ inputs: [{ shape: dims }], build, seed });
      },
    ));

  it('of transposes, reshapes, joins and repetitions', () =>
    holds(
      shape(2, 3).chain((dims) =>
        fc.record({
          dims: fc.constant(dims),
          perm: fc.shuffledSubarray(
            dims.map((_, i) => i),
            { minLength: dims.length },
          ),
          axis: fc.integer({ min: -dims.length, max: dims.length - 1 }),
          repeats: fc.array(size, { minLength: dims.length, maxLength: dims.length }),
          seed,
        }),
      ),
      async ({ dims, perm, axis, repeats, seed }) => {
        const build = (g: GraphBuilder, [x, y]: TypedValue[]) => {
          const joined = g.concat([x, y, x], axis);
          const tiled = g.op('Tile', [joined, g.ints(repeats)]);
          return g.square(g.reshape(g.transpose(tiled, perm), [-1]));
        };
        await checkGradients({ inputs: [{ shape: dims }, { shape: dims }], build, seed });
      },
    ));

  it('of rows and elements taken by index, whatever repeats', () =>
    holds(
      fc.integer({ min: 2, max: 5 }).chain((rows) =>
        fc.record({
          rows: fc.constant(rows),
          ids: fc.array(fc.integer({ min: -rows, max: rows - 1 }), { minLength: 1, maxLength: 6 }),
          axis: fc.constantFrom(0, 1, -1),
          seed,
        }),
      ),
      async ({ rows, ids, axis, seed }) => {
        const build = (g: GraphBuilder, [x]: TypedValue[]) => {
          const taken = g.square(g.gather(x, g.ints(ids), axis));
          const one = g.gatherElements(x, g.reshape(g.ints(ids), [1, ids.length]), 1);
          return [taken, g.square(one)];
        };
        await checkGradients({ inputs: [{ shape: [rows, rows] }], build, seed });
      },
    ));

  it('of softmax along any axis', () =>
    holds(
      shape(1, 3).chain((dims) =>
        fc.record({
          dims: fc.constant(dims),
          axis: fc.integer({ min: -dims.length, max: dims.length - 1 }),
          seed,
        }),
      ),
      async ({ dims, axis, seed }) => {
        const build = (g: GraphBuilder, [x]: TypedValue[]) => [g.softmax(x, axis), g.logSoftmax(x, axis)];
        await checkGradients({ inputs: [{ shape: dims }], build, seed });
      },
    ));
});
