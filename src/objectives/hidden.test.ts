import { describe, expect, it } from 'vitest';
import type { ModelLayer } from '../onnx/anatomy/anatomy.ts';
import { hidden } from './hidden.ts';
import type { ObjectiveContext } from './objective.ts';
import { describeLayerLoss } from './testing/describe-layer-loss.ts';
import { trainObjective } from './testing/train-objective.ts';

describeLayerLoss('hidden', ['text', 'audio']);

describe('the options of the loss hidden', () => {
  it.each([[{ distance: 'cosine' }], [{ normalize: false }]])('train a student: %o', async (options) => {
    const losses = await trainObjective('hidden', 'text', { options });
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
  });

  it('may forbid projections, which is an error where widths differ', () => {
    const layer = (width: number): ModelLayer => ({ name: 'layer_0', hidden: { name: 'h', width } });
    const context = (student: number, teacher: number): ObjectiveContext => ({
      classes: 2,
      models: {
        student: { family: 'transformer', layers: [layer(student)] },
        teacher: { family: 'transformer', layers: [layer(teacher)] },
        layers: [{ student: 0, teacher: 0, weight: 1 }],
      },
    });
    const options = hidden.options.parse({ weight: 1, projection: 'none' });
    expect(() => hidden.term(options, context(64, 512))).toThrow(
      expect.objectContaining({
        code: 'recipe.invalid',
        message: 'hidden states of width 64 and 512 cannot be compared without a projection',
      }),
    );
    expect(hidden.term(options, context(64, 64)).name).toBe('hidden');
  });
});
