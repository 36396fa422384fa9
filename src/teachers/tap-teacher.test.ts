import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { KnowledgeRequest } from './knowledge-request.ts';
import { tapTeacher } from './tap-teacher.ts';

/** logits = (mean over tokens of table[ids])^2 W, over texts whose length the model calls `tokens`. */
function teacher() {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'tokens']);
  const table = g.initializer('table', float32([1, 2, 3, 4, 5, 6], [3, 2]));
  const embedded = g.identity(g.gather(table, ids), 'embedded');
  const mean = g.reduceMean(embedded, { axes: [1], keepDims: false });
  const weight = g.initializer('weight', float32([1, 0, 0, 2], [2, 2]));
  g.output(g.matMul(g.square(mean), weight), 'logits');
  return g.build('teacher');
}

const hidden: KnowledgeRequest = { tap: 'hidden', build: (_, from) => from.value('embedded') };

describe('tapTeacher', () => {
  it('gives inner values, what is computed of them, and gradients', async () => {
    const { graph, dims } = tapTeacher(teacher(), [
      hidden,
      {
        tap: 'attribution',
        build: (g, from) =>
          g.reduceSum(from.gradient(from.value('logits'), 'embedded'), { axes: [2], keepDims: false }),
      },
    ]);
    expect([...dims]).toEqual([
      ['hidden', ['sequence', 2]],
      ['attribution', ['sequence']],
    ]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['hidden', 'attribution']);
    const session = await createNodeEngine().load(writeModel(graph));
    const found = await session.run({ input_ids: int64([0, 2], [1, 2]) });
    expect([...found.hidden.data]).toEqual([1, 2, 5, 6]);
    // The mean is (3, 4): d logits / d mean = (2 * 3, 2 * 2 * 4), of which each of two tokens has half.
    expect([...found.attribution.data]).toEqual([11, 11]);
    await session.release();
  });

  it('says what is not there, and what cannot be kept', () => {
    const missing = () => tapTeacher(teacher(), [{ tap: 'x', build: (_, from) => from.value('embeded') }]);
    expect(missing).toThrow(LimbeckError);
    expect(missing).toThrow("the teacher has no value 'embeded'");
    try {
      missing();
    } catch (error) {
      expect((error as LimbeckError).where).toContain("'embedded'");
    }
    const whole = () => tapTeacher(teacher(), [{ tap: 'ids', build: (_, from) => from.value('input_ids') }]);
    expect(whole).toThrow("what 'ids' gives cannot be kept: int64[batch, tokens]");
  });
});
