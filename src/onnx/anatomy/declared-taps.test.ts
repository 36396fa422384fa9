import { describe, expect, it } from 'vitest';
import { LimbeckError } from '../../errors.ts';
import type { Graph } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { graphOf, nodeOf } from '../testing/small-graph.ts';
import { type DeclaredTaps, withDeclaredTaps } from './declared-taps.ts';
import { describeModel } from './describe-model.ts';
import { suggestTaps } from './suggest-taps.ts';

const WHERE = 'knowledge.taps.teacher';

/** Four layers `layer_N/output` over `layer_N/attention/probabilities`, and `layer_N/inner` between. */
function transformer(): Graph {
  const g = new GraphBuilder();
  let x = g.input('embeddings', 'float32', ['batch', 'sequence', 8]);
  for (let layer = 0; layer < 4; layer++) {
    x = g.scope(`layer_${layer}`, () => {
      const heads = g.transpose(g.reshape(x, [0, 0, 2, 4]), [0, 2, 1, 3]);
      const scores = g.matMul(heads, g.transpose(heads, [0, 1, 3, 2]));
      const p = g.op('Softmax', [scores], {}, { name: 'attention/probabilities' });
      const back = g.reshape(g.transpose(g.matMul(p, heads), [0, 2, 1, 3]), [0, 0, 8]);
      const inner = g.op('Relu', [back], {}, { name: 'inner' });
      return g.op('Add', [inner, x], {}, { name: 'output' });
    });
  }
  g.output(g.reduceMean(x, { axes: [1], keepDims: false }), 'logits');
  return g.build();
}

const graph = transformer();
const found = describeModel(graph);
const declared = (taps: DeclaredTaps) => withDeclaredTaps(graph, found, taps, WHERE).layers;
const names = (taps: DeclaredTaps) =>
  declared(taps).map(({ attention, hidden }) => [attention?.probabilities, hidden?.name]);

function failure(taps: DeclaredTaps, of = graph): LimbeckError {
  try {
    withDeclaredTaps(of, found, taps, WHERE);
  } catch (error) {
    if (error instanceof LimbeckError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('taps', () => {
  it('that are not declared leave what was found', () => {
    expect(withDeclaredTaps(graph, found, {}, WHERE)).toBe(found);
    expect(found.layers).toHaveLength(4);
  });

  it('of one kind keep what the found layers have besides', () => {
    expect(names({ hidden: ['layer_*/inner'] })).toEqual(
      [0, 1, 2, 3].map((i) => [`layer_${i}/attention/probabilities`, `layer_${i}/inner`]),
    );
    expect(declared({ hidden: ['layer_1/output', 'layer_3/output'] })).toEqual([
      found.layers[1],
      found.layers[3],
    ]);
    expect(names({ hidden: ['layer_1/inner'] })).toEqual([[undefined, 'layer_1/inner']]);
  });

  it('are in graph order, each once, whatever the order of the names', () => {
    const hidden = ['layer_3/inner', 'layer_*/inner', 'layer_0/inner'];
    expect(declared({ hidden })).toEqual(declared({ hidden: ['layer_*/inner'] }));
  });

  it('of patterns leave out values of another form', () => {
    expect(names({ attention: ['layer_0/*'] }).length).toBeGreaterThan(0);
    expect(declared({ hidden: ['layer_0/*put'] })).toEqual([found.layers[0]]);
  });

  it('of several kinds have the values of a layer together', () => {
    const layers = declared({ attention: ['layer_2*probabilities'], hidden: ['layer_2/inner'] });
    expect(layers).toEqual([{ ...found.layers[2], hidden: { name: 'layer_2/inner', width: 8 } }]);
  });
});

describe('errors', () => {
  it('name the nearest values where nothing fits', () => {
    const { code, message, where } = failure({ hidden: ['layer_0/output', 'layer_1/outptu'] });
    expect(code).toBe('recipe.tap');
    expect(message).toBe("the model has no value 'layer_1/outptu'");
    expect(where).toMatch(/^knowledge\.taps\.teacher\.hidden\[1\]; the nearest names: 'layer_1\/output'/);
  });

  it('say what a value is that is none of the kind', () => {
    const { message, where } = failure({ attention: ['layer_0/output'] });
    expect(message).toMatch(/'layer_0\/output' is not an attention map/);
    expect(where).toMatch(/float32\[3, 13, 8\] for a batch of 3/);
  });

  it('tell kinds that do not make layers', () => {
    const { message } = failure({ attention: ['*probabilities'], hidden: ['layer_0/output'] });
    expect(message).toBe('the taps do not make layers: 4 of attention, 1 of hidden');
  });

  it('say where a fused operator hides attention, and how to get it', () => {
    const [x, y] = ['x', 'y'].map((name) => ({ name, type: 'float32', shape: ['batch', 4, 8] }) as const);
    const fused = { ...nodeOf('QAttention', [x!], [y!]), domain: 'com.microsoft' };
    const { message, remedy } = failure({ attention: ['*Softmax*'] }, graphOf([x!], [fused], [y!]));
    expect(message).toMatch(/attention is inside com.microsoft::QAttention/);
    expect(remedy).toMatch(/eager/);
  });
});

describe('suggestions', () => {
  const all = graph.nodes.flatMap(({ outputs }) => outputs.map((value) => value!.name));

  it('are patterns that mean the layers that were found', () => {
    const taps = suggestTaps(found, all);
    expect(taps).toEqual({ attention: ['layer_*/attention/probabilities'], hidden: ['layer_*/output'] });
    expect(declared(taps)).toEqual(found.layers);
  });

  it('are names where a pattern would mean more', () => {
    const { hidden } = suggestTaps(found, [...all, 'layer_0/other/output']);
    expect(hidden).toEqual([0, 1, 2, 3].map((i) => `layer_${i}/output`));
  });
});
