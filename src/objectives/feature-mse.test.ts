import { describe, expect, it } from 'vitest';
import { checkGradients } from '../autodiff/testing/check-gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { featureMse } from './feature-mse.ts';
import { knowledgeRequests, type ObjectiveMap, objectiveTerms } from './index.ts';
import { meanLoss } from './objective.ts';
import { trainObjective } from './testing/train-objective.ts';

describe('featureMse', () => {
  it('is the squared distance from the teacher, whose rows are normalised', async () => {
    const g = new GraphBuilder();
    const inputs = {
      student: g.input('student', 'float32', [2, 2]),
      teacher: g.input('teacher', 'float32', [2, 2]),
      projection: g.constant(float32([1, 0, 0, 1], [2, 2])),
      rowWeights: g.input('weights', 'float32', [2]),
    };
    g.output(featureMse(g, inputs).values, 'values');
    g.output(meanLoss(g, featureMse(g, inputs)), 'loss');
    const session = await createNodeEngine().load(writeModel(g.build()));
    const feeds = { student: float32([1, 2, 0, 1], [2, 2]), teacher: float32([1, 3, 2, 2], [2, 2]) };
    const both = await session.run({ ...feeds, weights: float32([1, 1]) });
    // Rows of the teacher become (-1, 1) and (0, 0): ((1 + 1)^2 + (2 - 1)^2) / 2 and (0 + 1) / 2.
    expect(both.values.data[0]).toBeCloseTo(2.5, 4);
    expect(both.values.data[1]).toBeCloseTo(0.5, 4);
    expect(both.loss.data[0]).toBeCloseTo(1.5, 4);
    const none = await session.run({ ...feeds, weights: float32([0, 0]) });
    expect(none.loss.data[0]).toBe(0);
    await session.release();
  });

  it('has the gradient of finite differences', async () => {
    await checkGradients({
      inputs: [{ shape: [3, 2] }, { shape: [2, 4] }],
      type: 'float32',
      build: (g, [student, projection]) =>
        meanLoss(
          g,
          featureMse(g, {
            student,
            projection,
            teacher: g.constant(float32([1, 2, 3, 5, -1, 0, 2, 2, 4, 1, 0, 1], [3, 4])),
            rowWeights: g.constant(float32([1, 0, 1])),
          }),
        ),
    });
  });

  it.each(['text', 'image'] as const)('teaches a small student of the family %s', async (family) => {
    const losses = await trainObjective('featureMse', family, { options: {} });
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
  });

  it('is left out where a model shows no layers', () => {
    const options = { featureMse: { weight: 0.3 } } as Partial<ObjectiveMap>;
    const whole = new Proxy(options, {
      get: (target, name) => target[name as 'featureMse'] ?? { weight: 0 },
    });
    const none = { family: 'other', layers: [] } as const;
    const context = { classes: 3, models: { student: none, teacher: none, layers: [] } };
    expect(objectiveTerms(whole as ObjectiveMap, context)).toEqual([]);
    expect(knowledgeRequests(whole as ObjectiveMap, context)).toEqual([]);
  });
});
