import { describe, expect, it } from 'vitest';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { checkFixture, layerFixtures, runFixture } from './layer-fixture.ts';
import { type Family, trainObjective } from './train-objective.ts';

/** What every loss over layers is held to; its own tests say what is its own. */
export function describeLayerLoss(
  name: string,
  families: readonly Family[],
  {
    enter,
    options = {},
    least = 0.9,
  }: {
    /** Leads from what finite differences move to the student's values. */
    enter?: (g: GraphBuilder, value: TypedValue) => TypedValue;
    options?: Readonly<Record<string, unknown>>;
    /** What part of the first loss the last one has at most after a few steps. */
    least?: number;
  } = {},
): void {
  describe(`the loss ${name}`, () => {
    const fixtures = layerFixtures(name);

    it.each(fixtures)("has PyTorch's value and gradients: %s", async (_, fixture) => {
      const { loss, gradients } = await runFixture(fixture);
      expect(Math.abs(loss - fixture.loss)).toBeLessThan(1e-5 * Math.max(1, fixture.loss));
      for (const [leaf, expected] of Object.entries(fixture.gradients)) {
        const largest = Math.max(...expected.map(Math.abs));
        const found = gradients[leaf] ?? [];
        expect(found.length).toBe(expected.length);
        for (const [i, value] of expected.entries())
          expect(Math.abs(found[i]! - value), `${leaf}[${i}]`).toBeLessThan(1e-4 * largest);
      }
    });

    it.each(fixtures)('has the gradients of finite differences: %s', async (_, fixture) => {
      await checkFixture(fixture, enter);
    });

    it('is 0, not NaN, where no row counts, and finite where a row has no tokens', async () => {
      const [, fixture] = fixtures[0]!;
      const nothing = await runFixture(fixture, { rows: fixture.rows.map(() => 0) });
      expect(nothing.loss).toBe(0);
      for (const values of Object.values(nothing.gradients)) expect(values.every((x) => x === 0)).toBe(true);
      const empty = await runFixture(fixture, { mask: fixture.mask.map((row) => row.map(() => 0)) });
      expect(Number.isFinite(empty.loss)).toBe(true);
      for (const values of Object.values(empty.gradients)) expect(values.every(Number.isFinite)).toBe(true);
    });

    it.each(families.map((family) => [family]))(
      'teaches a small student of the family %s',
      async (family) => {
        const losses = await trainObjective(name, family, { options });
        expect(losses.every(Number.isFinite)).toBe(true);
        expect(losses.at(-1)).toBeLessThan(least * losses[0]!);
      },
    );
  });
}
