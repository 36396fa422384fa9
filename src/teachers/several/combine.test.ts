import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import type { Graph } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { combineTeachers, memberOutput, type Weighting } from './combine.ts';
import { fitTemperature } from './fit-temperature.ts';
import { mixtureWeights } from './mixture-weights.ts';

/** A classifier that answers with its input times a number. */
function classifier(scale: number): Graph {
  const g = new GraphBuilder();
  g.output(g.mul(g.input('pixel_values', 'float32', ['batch', 3]), scale), 'logits');
  return g.build();
}

const SCORES = [
  [2, 0, -1],
  [0.1, 0.2, 0],
];
const softmax = (scores: readonly number[]) => {
  const powers = scores.map(Math.exp);
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
};
const chances = (row: number, scale: number) =>
  softmax((SCORES[row] as number[]).map((score) => scale * score));

async function answers(combine: 'probabilities' | 'logits', weighting: Weighting, scales = [1, -2]) {
  const graph = combineTeachers(
    scales.map((scale) => ({ model: classifier(scale) })),
    combine,
    weighting,
  );
  const session = await createNodeEngine().load(writeModel(graph));
  const outputs = await session.run({ pixel_values: float32(SCORES.flat(), [2, 3]) });
  await session.release();
  const rows = (name: string) =>
    [0, 1].map((row) =>
      softmax([...((outputs[name] as Tensor).data as Float32Array)].slice(3 * row, 3 * row + 3)),
    );
  return { together: rows('logits'), alone: scales.map((_, i) => rows(memberOutput(i))) };
}

function expectRow(found: readonly number[] | undefined, wanted: readonly number[]): void {
  wanted.forEach((value, c) => {
    expect(found?.[c]).toBeCloseTo(value, 5);
  });
}

describe('several teachers', () => {
  it('by the mean of their probabilities, weighed, each alone beside it', async () => {
    const { together, alone } = await answers('probabilities', [3, 1]);
    for (const row of [0, 1]) {
      const [a, b] = [chances(row, 1), chances(row, -2)];
      expectRow(
        together[row],
        a.map((value, c) => 0.75 * value + 0.25 * (b[c] as number)),
      );
      expectRow(alone[1]?.[row], b);
    }
  });

  it('by the mean of their logits', async () => {
    const { together } = await answers('logits', [1, 1]);
    // (1 - 2) / 2 of the scores.
    expectRow(together[0], chances(0, -0.5));
  });

  it('by how sure each is of a sample', async () => {
    const { together } = await answers('probabilities', 'confidence', [1, 3]);
    const sure = (p: readonly number[]) =>
      1e-3 + 1 + p.reduce((sum, value) => sum + value * Math.log(value), 0) / Math.log(3);
    const [a, b] = [chances(0, 1), chances(0, 3)];
    const part = sure(a) / (sure(a) + sure(b));
    expectRow(
      together[0],
      a.map((value, c) => part * value + (1 - part) * (b[c] as number)),
    );
  });

  it('by how near each is to the others', async () => {
    const { together } = await answers('probabilities', 'agreement', [1, 1.2, -4]);
    // Two agree: the third hardly counts.
    expect(together[0]?.[0]).toBeGreaterThan(0.6);
    const equal = await answers('probabilities', [1, 1, 1], [1, 1.2, -4]);
    expect(together[0]?.[0]).toBeGreaterThan((equal.together[0] as number[])[0] as number);
  });

  it('that read by tokenizers of their own have inputs of their own', () => {
    const text = () => {
      const g = new GraphBuilder();
      const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
      g.input('attention_mask', 'int64', ['batch', 'sequence']);
      const table = g.initializer('table', float32([1, 2, 3, 4], [2, 2]));
      g.output(g.reduceMean(g.gather(table, ids), { axes: [1], keepDims: false }), 'logits');
      return g.build();
    };
    const own = new Map([
      ['input_ids', 'teacher_1_input_ids'],
      ['attention_mask', 'teacher_1_attention_mask'],
    ]);
    const graph = combineTeachers([{ model: text() }, { model: text(), inputs: own }], 'logits', [1, 1]);
    expect(graph.inputs.map(({ name, shape }) => [name, shape?.[1]])).toEqual([
      ['input_ids', 'sequence'],
      ['attention_mask', 'sequence'],
      ['teacher_1_input_ids', 'sequence_1'],
      ['teacher_1_attention_mask', 'sequence_1'],
    ]);
  });
});

describe('weights by validation', () => {
  it('go to the teacher that gives more to what is true, and mix where each knows its part', () => {
    const better = mixtureWeights(
      [
        [0.9, 0.2],
        [0.8, 0.3],
        [0.7, 0.6],
      ],
      2,
    );
    expect(better[0]).toBeGreaterThan(0.98);
    const parts = mixtureWeights(
      [
        [0.9, 0.1],
        [0.1, 0.9],
        [0.9, 0.1],
        [0.1, 0.9],
      ],
      2,
    );
    expect(parts[0]).toBeCloseTo(0.5, 5);
    expect(mixtureWeights([], 3)).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  it('come after the temperature at which a teacher is as sure as it is right', () => {
    // Right in three of four, and 99 % sure: log(99) brought to log(3).
    const sure = Math.log(99);
    const logits = Float32Array.from([sure, 0, sure, 0, sure, 0, sure, 0]);
    expect(fitTemperature({ logits, labels: [0, 0, 0, 1] })).toBeCloseTo(sure / Math.log(3), 2);
    expect(fitTemperature({ logits: new Float32Array(0), labels: [] })).toBe(1);
  });
});
