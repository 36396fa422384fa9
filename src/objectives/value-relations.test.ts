import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { describeLayerLoss } from './testing/describe-layer-loss.ts';
import { valueRelationScores } from './value-relations.ts';

describeLayerLoss('valueRelations', ['text', 'audio'], { options: { relationHeads: 4 } });

describe('the groups of value relations', () => {
  it('have to divide the width', () => {
    const g = new GraphBuilder();
    const values = g.input('values', 'float32', [2, 3, 4, 5]);
    const mask = g.input('mask', 'float32', [2, 4]);
    expect(() => valueRelationScores(g, { values, mask, relationHeads: 4 })).toThrow(
      expect.objectContaining({ code: 'recipe.invalid', message: '4 groups do not divide a width of 15' }),
    );
  });
});
