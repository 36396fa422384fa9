import { describe, expect, it } from 'vitest';
import { checkGradients } from '../../autodiff/testing/check-gradients.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { meanLoss, type TermLoss } from '../objective.ts';
import { lossAndGradient } from './loss-case.ts';

type Named<T> = Readonly<Record<string, T>>;

export interface RowLossCase {
  /** All that the loss is computed from, [batch, ...] each, `rowWeights` among them; one of these is 0. */
  readonly inputs: Named<Tensor>;
  /** Those that gradients flow to. */
  readonly student: readonly string[];
  build(g: GraphBuilder, values: Named<TypedValue>): TermLoss;
  /** The same number by another program. */
  readonly expected: number;
  /** Whether the second derivatives are those of differences as well; false where the loss has kinks in them. */
  readonly smooth?: boolean;
}

/** What every loss over rows is held to; its own tests say what is its own. */
export function describeRowLoss(
  name: string,
  { inputs, student, build, expected, smooth = true }: RowLossCase,
) {
  const run = (changed: Named<Tensor> = {}, wrt = student[0] as string) =>
    lossAndGradient({ ...inputs, ...changed }, wrt, (g, values) => build(g, values));
  const weights = inputs.rowWeights as Tensor;
  const hidden = (weights.data as Float32Array).indexOf(0);

  describe(name, () => {
    it('has the value of another program', async () => {
      const { value } = await run();
      expect(value / expected).toBeCloseTo(1, 4);
    });

    it('has the gradient of finite differences', async () => {
      await checkGradients({
        type: 'float32',
        order: smooth ? 2 : 1,
        // A long step would lead over a kink.
        ...(smooth ? {} : { step: 1e-3, tolerance: 2e-3 }),
        inputs: student.map((one) => {
          const { dims, data } = inputs[one] as Tensor;
          return { shape: dims, draw: (_, i) => (data as Float32Array)[i] as number };
        }),
        build(g, moved) {
          const values = Object.entries(inputs).map(([one, content]) => {
            const place = student.indexOf(one);
            return [one, place < 0 ? g.constant(content) : (moved[place] as TypedValue)] as const;
          });
          return meanLoss(g, build(g, Object.fromEntries(values)));
        },
      });
    });

    it('does not see a row that does not count', async () => {
      expect(hidden).toBeGreaterThanOrEqual(0);
      const others = Object.entries(inputs).filter(([one]) => one !== 'rowWeights');
      const disturbed = others.map(([one, content]) => [one, withRow(content, hidden)] as const);
      for (const wrt of student) {
        const [as, without] = [await run({}, wrt), await run(Object.fromEntries(disturbed), wrt)];
        expect(without.value).toBeCloseTo(as.value, 5);
        const size = as.gradient.length / (weights.dims[0] as number);
        as.gradient.forEach((slope, i) => {
          expect(without.gradient[i]).toBeCloseTo(slope, 5);
          if (Math.floor(i / size) === hidden) expect(Math.abs(slope)).toBe(0);
        });
      }
    });

    it('is 0 with a gradient of 0 where no row counts', async () => {
      const none = float32(new Float32Array(weights.data.length), [...weights.dims]);
      for (const wrt of student) {
        const { value, gradient } = await run({ rowWeights: none }, wrt);
        expect(Math.abs(value)).toBe(0);
        expect(gradient.every((slope) => Math.abs(slope) === 0)).toBe(true);
      }
    });

    it.each([0, 300])('is finite where the answers are %d times as large', async (times) => {
      const scaled = student.map((one) => {
        const { dims, data } = inputs[one] as Tensor;
        return [
          one,
          float32(
            (data as Float32Array).map((x) => x * times),
            [...dims],
          ),
        ] as const;
      });
      for (const wrt of student) {
        const { value, gradient } = await run(Object.fromEntries(scaled), wrt);
        expect(Number.isFinite(value)).toBe(true);
        expect(gradient.every(Number.isFinite)).toBe(true);
      }
    });
  });
}

/** The content with other numbers in one row. */
function withRow({ type, dims, data }: Tensor, row: number): Tensor {
  const size = data.length / (dims[0] as number);
  const changed = data.slice() as typeof data;
  for (let i = row * size; i < (row + 1) * size; i++) {
    if (type === 'float32') (changed as Float32Array)[i] = 1.5 - ((i * 7) % 5);
    else if (type === 'int32')
      (changed as Int32Array)[i] = ((changed as Int32Array)[i] as number) === 0 ? 1 : 0;
  }
  return { type, dims, data: changed };
}

/** Numbers that look random and are always the same, as float32 has them. */
export function numbers(count: number, seed: number, size = 1.5): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(size * Math.sin(seed + 2.3 * i + 0.37 * i * i)));
}
