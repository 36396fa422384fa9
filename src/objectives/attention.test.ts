import { describe, expect, it } from 'vitest';
import type { ModelLayer } from '../onnx/anatomy/anatomy.ts';
import { attention } from './attention.ts';
import type { ObjectiveContext } from './objective.ts';
import { describeLayerLoss } from './testing/describe-layer-loss.ts';

// Distributions cannot be moved in every direction: what is moved are scores.
describeLayerLoss('attention', ['text'], { enter: (g, scores) => g.softmax(scores) });

describe('the heads of attention', () => {
  const layer = (heads: number): ModelLayer => ({
    name: 'layer_0',
    attention: { probabilities: 'p', heads },
  });
  const context = (student: ModelLayer, teacher: ModelLayer): ObjectiveContext => ({
    classes: 2,
    models: {
      student: { family: 'transformer', layers: [student] },
      teacher: { family: 'transformer', layers: [teacher] },
      layers: [{ student: 0, teacher: 0, weight: 1 }],
    },
  });

  it('are only compared one by one where both sides have as many', () => {
    const options = attention.options.parse({ weight: 1, heads: 'each' });
    expect(() => attention.term(options, context(layer(2), layer(3)))).toThrow(
      expect.objectContaining({ code: 'recipe.invalid', remedy: expect.stringContaining('limbeck inspect') }),
    );
    expect(attention.knowledge?.(options, context(layer(3), layer(3)))).toHaveLength(1);
  });

  it('are averaged into another tap than the whole', () => {
    const tap = (heads: 'each' | 'mean') =>
      attention.knowledge?.(attention.options.parse({ heads }), context(layer(3), layer(3)))[0]?.tap;
    expect(tap('each')).not.toBe(tap('mean'));
  });
});
