import { describe, expect, it } from 'vitest';
import { float32 } from '../tensor.ts';
import { graphOf, nodeOf, valueNamed } from '../testing/small-graph.ts';
import { withOutputs } from './select-outputs.ts';

const x = valueNamed('x');
const w = valueNamed('layer.0/weight', 'float32', [1]);
const names = ['layer.0/attention', 'layer.0/out', 'layer.1/attention', 'layer.1/out', 'odd*name'];
const values = names.map((name) => valueNamed(name));
const graph = graphOf(
  [x],
  values.map((value, i) => nodeOf('Add', [values[i - 1] ?? x, w], [value])),
  [values[3]!],
  [[w, float32([1])]],
);
const selected = (...wanted: string[]) => withOutputs(graph, wanted).outputs.map((value) => value.name);

describe('withOutputs', () => {
  it('taps any value, in the order asked', () => {
    expect(selected('layer.1/out', 'layer.0/out', 'x', 'layer.0/weight')).toEqual([
      'layer.1/out',
      'layer.0/out',
      'x',
      'layer.0/weight',
    ]);
  });

  it('taps by patterns, in graph order, each value once', () => {
    expect(selected('*/attention')).toEqual(['layer.0/attention', 'layer.1/attention']);
    expect(selected('layer.0/*')).toEqual(['layer.0/attention', 'layer.0/out']);
    expect(selected('layer.1/out', 'layer*o*t')).toEqual(['layer.1/out', 'layer.0/out']);
    expect(selected('*')).toEqual(names);
  });

  it('takes a star for itself where a name has one', () => {
    expect(selected('odd*name')).toEqual(['odd*name']);
  });

  it('does not let the parts of a pattern overlap', () => {
    expect(() => selected('layer.0/out*out')).toThrow('matches the pattern');
    expect(() => selected('*out*out')).toThrow('matches the pattern');
  });

  it('suggests the nearest names', () => {
    expect(() => selected('layer.0/atention')).toThrow(
      expect.objectContaining({
        code: 'model.no-such-value',
        remedy: expect.stringMatching(/^Did you mean 'layer\.0\/attention' or /),
      }),
    );
    expect(() => withOutputs(graphOf([], [], []), ['y'])).toThrow('no value');
  });
});
