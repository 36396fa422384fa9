import { describe, expect, it } from 'vitest';
import type { ModelLayer } from '../onnx/anatomy/anatomy.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { attention, attentionDivergence } from './attention.ts';
import type { ObjectiveContext } from './objective.ts';
import { describeLayerLoss } from './testing/describe-layer-loss.ts';

// Distributions cannot be moved in every direction: what is moved are scores.
describeLayerLoss('attention', ['text', 'audio'], { enter: (g, scores) => g.softmax(scores) });

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

  it('count by the weights of the knowledge graph', () => {
    const plain = context(layer(2), layer(2));
    const weighed = { ...plain, models: { ...plain.models!, headWeights: [[1.504, 0.496]] } };
    const tapOf = (heads: 'each' | 'mean') =>
      attention.knowledge?.(attention.options.parse({ heads }), weighed)[0]?.tap;
    expect(tapOf('mean')).toBe('attention/mean(1.5 0.5)/p');
    expect(tapOf('each')).toBe('attention/each/p');
  });

  it('are averaged by their weights', async () => {
    // One query and two keys; the first head differs by KL((1/2, 1/2), (1/4, 3/4)), the second not at all.
    const g = new GraphBuilder();
    const maps = (first: number) => g.constant(float32([first, 1 - first, 0.5, 0.5], [1, 2, 1, 2]));
    const mask = g.constant(float32([1], [1, 1]));
    const inputs = { student: maps(0.25), teacher: maps(0.5), mask };
    g.output(attentionDivergence(g, { ...inputs, headWeights: [1.5, 0.5] }), 'weighed');
    const { weighed } = await runGraph(g.build());
    const divergence = 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3);
    expect(weighed?.data[0]).toBeCloseTo((1.5 * divergence) / 2, 6);
  });

  it('are averaged into another tap than the whole', () => {
    const tap = (heads: 'each' | 'mean') =>
      attention.knowledge?.(attention.options.parse({ heads }), context(layer(3), layer(3)))[0]?.tap;
    expect(tap('each')).not.toBe(tap('mean'));
  });
});
