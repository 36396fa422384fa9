import { describe, expect, it } from 'vitest';
import { checkGradients } from '../autodiff/testing/check-gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { ewcTerm } from './ewc.ts';
import { meanLoss, type ObjectiveInputs, type ObjectiveTerm } from './objective.ts';
import { replayLabelsTerm, replayLogitsTerm } from './replay.ts';
import { selfDistillationTerm, taskTeacherTerm } from './self-distillation.ts';
import { taskLabelsTerm } from './task-labels.ts';

const engine = createNodeEngine();
const ln = Math.log;

/** What a term asks for, as inputs of the graph under their names in a step. */
function inputsOf(g: GraphBuilder, feeds: Record<string, Tensor>, own: Record<string, TypedValue> = {}) {
  const values = new Map<string, TypedValue>(Object.entries(own));
  const input = (name: string) => {
    const known = values.get(name);
    if (known) return known;
    const { type, dims } = feeds[name] as Tensor;
    const value = g.input(name, type, dims);
    values.set(name, value);
    return value;
  };
  return {
    student: input,
    knowledge: (tap: string) => input(`knowledge/${tap}`),
    labels: () => input('labels'),
    rowWeights: () => input('row_weights'),
    input,
  } as unknown as ObjectiveInputs;
}

async function lossOf(term: ObjectiveTerm, feeds: Record<string, Tensor>): Promise<number> {
  const g = new GraphBuilder();
  g.output(meanLoss(g, term.build(g, inputsOf(g, feeds))), 'loss');
  const session = await engine.load(writeModel(g.build()));
  const { loss } = await session.run(
    Object.fromEntries(session.inputNames.map((name) => [name, feeds[name] as Tensor])),
  );
  await session.release();
  return Number(loss?.data[0]);
}

const ints = (values: number[]) => tensor('int32', [values.length], Int32Array.from(values));

// Four classes in two tasks; a new row of class 2, a kept one of class 0, a row that only fills the batch.
const feeds = {
  logits: float32([ln(1), ln(2), ln(3), ln(2), ln(4), ln(1), ln(2), ln(1), 0, 0, 0, 0], [3, 4]),
  'knowledge/past': float32([ln(3), ln(1), 9, -9, ln(4), ln(1) + 2, 7, 7, 0, 0, 0, 0], [3, 4]),
  labels: ints([2, 0, -1]),
  row_weights: float32([1, 1, 0]),
  replayed: float32([0, 1, 0]),
};
const TASKS = [
  [0, 1],
  [2, 3],
];

describe('the labels of a task', () => {
  it('compete with all classes that were taught, or with those of the task', async () => {
    expect(await lossOf(taskLabelsTerm({ groups: [[0, 1, 2, 3]] }), feeds)).toBeCloseTo(-ln(3 / 8), 5);
    expect(await lossOf(taskLabelsTerm({ groups: TASKS }), feeds)).toBeCloseTo(-ln(3 / 5), 5);
  });

  it('of kept samples are a term of their own', async () => {
    const term = replayLabelsTerm({ weight: 1, groups: TASKS });
    expect(await lossOf(term, feeds)).toBeCloseTo(-ln(4 / 5), 5);
  });
});

describe('past answers', () => {
  it('of kept samples count for the classes known in their time', async () => {
    // Class 0 is of the first task: of the differences (0, 2, ...) only the first two count.
    expect(await lossOf(replayLogitsTerm({ weight: 1, tasks: TASKS }), feeds)).toBeCloseTo(4 / 2, 5);
  });

  it('to new samples are distilled over the earlier classes', async () => {
    // The past says (3, 1) / 4, the student (1, 2) / 3; at temperature 1.
    const term = selfDistillationTerm({ weight: 1, temperature: 1, groups: [[0, 1]] });
    const divergence = 0.75 * ln(0.75 / (1 / 3)) + 0.25 * ln(0.25 / (2 / 3));
    expect(await lossOf(term, feeds)).toBeCloseTo(divergence, 5);
  });

  it('and a teacher are distilled in each group by itself', async () => {
    const own = { ...feeds, 'knowledge/logits': feeds.logits };
    const term = taskTeacherTerm({ weight: 1, temperature: 2, groups: TASKS });
    expect(await lossOf(term, own)).toBeCloseTo(0, 6);
  });
});

describe('elastic weights', () => {
  const term = ewcTerm({ weight: 1, parameters: ['w', 'b'] });
  const springs = {
    'ewc/importance/w': float32([2, 0, 1], [3]),
    'ewc/anchor/w': float32([1, 5, -1], [3]),
    'ewc/importance/b': float32([4], [1]),
    'ewc/anchor/b': float32([0.5], [1]),
  };

  it('are half the importance times the squared distance', async () => {
    const moved = { ...springs, w: float32([2, 9, 1], [3]), b: float32([0], [1]) };
    // (2 * 1 + 0 * 16 + 1 * 4 + 4 * 0.25) / 2
    expect(await lossOf(term, moved)).toBeCloseTo(3.5, 6);
  });

  it('have the gradient of finite differences', async () => {
    await checkGradients({
      inputs: [{ shape: [3] }, { shape: [1] }],
      type: 'float32',
      build: (g, [w, b]) => {
        const constants = Object.fromEntries(
          Object.entries(springs).map(([name, content]) => [name, g.initializer(name, content)]),
        );
        return meanLoss(
          g,
          term.build(g, inputsOf(g, {}, { ...constants, w, b } as Record<string, TypedValue>)),
        );
      },
    });
  });
});
