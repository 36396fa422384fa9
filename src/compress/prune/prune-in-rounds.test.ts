import { expect, test } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { buildClassifier, buildStudent } from '../../students/build-student.ts';
import { batchNorm, convolution } from '../../students/convolution.ts';
import { mobilenetV3 } from '../../students/mobilenet-v3.ts';
import { ParameterMaker } from '../../students/parameters.ts';
import { resnet } from '../../students/resnet.ts';
import type { Student } from '../../students/student.ts';
import { classes } from '../../targets/classes.ts';
import { openHead } from '../../targets/head.ts';
import type { AnyTarget } from '../../targets/target.ts';
import { factorized } from '../low-rank/factorize.ts';
import { prune } from '../transforms/prune.ts';
import type { AfterContext, Retraining } from '../transforms/transform.ts';
import { pruneInRounds } from './prune-in-rounds.ts';

const image = { channels: 1, height: 8, width: 8, classes: 3 };
const network = (width: number) =>
  buildClassifier(resnet, resnet.options.parse({ width, stages: 2, blocks: 1 }), {
    ...image,
    random: randomStream(1, 'student'),
  });

/** A context in which nothing is trained; it remembers what was asked for. */
function still(trainings: [string, Retraining][] = []): AfterContext {
  return {
    where: 'compress[0]',
    outputs: ['logits'],
    random: (...labels) => randomStream(1, ...labels),
    metric: { name: 'accuracy', title: 'accuracy', better: 'higher', format: 'percent' },
    validation: { accuracy: 0.9 },
    retrain: async (name, student, how) => {
      trainings.push([name, how]);
      return { student, validation: { accuracy: 0.8 } };
    },
    measure: async () => ({ accuracy: 0.5 }),
    gradients: async (student, _batches, visit) => visit(contentsOf(student)),
    stepsIn: (epochs) => epochs,
    tell: () => {},
    warn: () => {},
  };
}

const contentsOf = ({ graph }: Student) =>
  new Map([...graph.initializers].map(([value, { data }]) => [value.name, data as Float32Array]));
const shapesOf = ({ graph, parameters }: Student) =>
  [...graph.initializers]
    .filter(([value]) => parameters.includes(value.name))
    .map(([value, { dims }]) => [value.name, [...dims]]);
const optionsOf = (given: object) => prune.options.parse(given);

test('features that no output reads are no part of the amount, nor matrices to factor', async () => {
  const student = buildStudent({
    backbone: mobilenetV3,
    options: mobilenetV3.options.parse({ size: 'tiny', width: 0.5 }),
    inputs: { channels: 1, height: 8, width: 8 },
    heads: [
      openHead({
        output: 'logits',
        target: classes as unknown as AnyTarget,
        options: classes.options.parse({ pooling: 'logSumExp' }),
        space: { names: ['bag', 'boot'] },
        labels: 'labels',
      }),
    ],
    random: randomStream(1, 'places'),
  });
  const channelsOf = (one: Student) =>
    shapesOf(one).find(([name]) => name === 'top/convolution/weight')?.[1]?.[0];
  const given = optionsOf({ amount: 0.25, across: 'network', criterion: 'random' });
  const { student: pruned } = await pruneInRounds(student, given, still());
  expect(shapesOf(pruned)).not.toEqual(shapesOf(student));
  expect(channelsOf(pruned)).toBe(channelsOf(student));
  const { layers } = factorized(student, 0.5, still());
  expect(layers.map(({ name }) => name)).not.toContain('top/convolution/weight');
});

test('half of a residual network of width 8 is the network of width 4, in as many rounds as wanted', async () => {
  const trainings: [string, Retraining][] = [];
  const given = optionsOf({ rounds: 2, between: 1, epochs: 3 });
  const made = await pruneInRounds(network(8), given, still(trainings));
  expect(shapesOf(made.student)).toEqual(shapesOf(network(4)));
  expect(trainings.map(([name, { epochs }]) => [name, epochs])).toEqual([
    ['round-1', 1],
    ['round-2', 3],
  ]);
  expect(trainings[0]?.[1].keep?.weight).toBe(0.5);
  expect(made.rounds?.map(({ name, cut }) => [name, cut?.accuracy])).toEqual([
    ['75 % left', 0.5],
    ['50 % left', 0.5],
  ]);
  expect(made.rounds?.[1]?.parameters).toBeLessThan(made.rounds?.[0]?.parameters as number);
});

/** Two layers: which of the 4 channels between them matter, their weights, scales and gradients say each otherwise. */
function telling(): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(1, 'telling'));
  const x = g.input('pixel_values', 'float32', ['batch', 1, 4, 4]);
  const size = { inputs: 1, outputs: 4, kernel: 1 };
  const hidden = g.relu(batchNorm(g, make, convolution(g, make, x, size), 4));
  const mean = g.reduceMean(hidden, { axes: [2, 3], keepDims: false });
  g.output(g.matMul(mean, make.constant('head', [4, 2], 1)), 'logits');
  const { graph, parameters } = make.finish(g.build());
  const contents: Record<string, number[]> = {
    'convolution/weight': [1, 5, 3, 4],
    'normalization/scale': [0.5, 0.1, 0.9, -0.7],
  };
  const initializers = new Map(
    [...graph.initializers].map(([value, content]) => {
      const numbers = contents[value.name];
      return [value, numbers ? float32(numbers, content.dims) : content];
    }),
  );
  return { graph: { ...graph, initializers }, parameters };
}

const scalesLeft = async (given: object, context = still()) => {
  const { student } = await pruneInRounds(telling(), optionsOf({ epochs: 0, ...given }), context);
  return [...(contentsOf(student).get('normalization/scale') ?? [])].map((scale) => Math.fround(scale));
};
const scales = (...values: number[]) => values.map(Math.fround);

test('what is left depends on the criterion: weights, scales, gradients, chance', async () => {
  expect(await scalesLeft({ criterion: 'l1' })).toEqual(scales(0.1, -0.7));
  expect(await scalesLeft({ criterion: 'scales' })).toEqual(scales(0.9, -0.7));
  // Gradients that are those of channel 0 alone.
  const context: AfterContext = {
    ...still(),
    gradients: async (_student, _batches, visit) => {
      visit(new Map([['normalization/scale', Float32Array.of(9, 0, 0.1, 0)]]));
    },
  };
  expect(await scalesLeft({ criterion: 'taylor' }, context)).toEqual(scales(0.5, 0.9));
  const random = await scalesLeft({ criterion: 'random' });
  expect(random).toEqual(await scalesLeft({ criterion: 'random' }));
  expect(random).toHaveLength(2);
});

test('the least important channels of all layers go when layers are compared, and none becomes empty', async () => {
  const options = optionsOf({ across: 'network', amount: 0.6, epochs: 0 });
  const { student } = await pruneInRounds(network(16), options, still());
  const outputs = shapesOf(student).flatMap(([name, dims]) =>
    String(name).endsWith('convolution/weight') ? [(dims as number[])[0] as number] : [],
  );
  expect(Math.min(...outputs)).toBeGreaterThanOrEqual(2);
  expect(new Set(outputs).size).toBeGreaterThan(2);
});

test.each([
  [{ amount: 0.95 }, /the layer of stem\/first\/convolution\/weight would be empty: of 8 channels none/],
  [{ skip: ['nowhere*'] }, /no weight of the student fits 'nowhere\*'/],
  [{ skip: ['*'] }, /nothing can be removed of the student resnet/],
  [{ multiple: 32 }, /would be empty/],
])('%j is refused with the name of the layer', async (given, problem) => {
  await expect(pruneInRounds(network(8), optionsOf(given), still())).rejects.toThrow(problem);
});

test('what is going to be left is known before anything is trained, and what cannot work is refused', async () => {
  const foresee = (given: object, student = network(8)) =>
    prune.foresee?.(student, optionsOf(given), still());
  expect(shapesOf((await foresee({ rounds: 3 })) as Student)).toEqual(shapesOf(network(4)));
  expect(await foresee({ across: 'network' })).toBeUndefined();
  await expect(foresee({ amount: 0.95 })).rejects.toThrow(/would be empty/);
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(1, 'plain'));
  const hidden = g.relu(g.matMul(g.input('x', 'float32', ['batch', 3]), make.glorot('hidden', 3, 6)));
  g.output(g.matMul(hidden, make.glorot('head', 6, 2)), 'logits');
  await expect(foresee({ criterion: 'scales' }, make.finish(g.build()))).rejects.toThrow(
    /nothing normalises the channels of hidden/,
  );
});

test('scales are drawn towards 0 only where there are some', () => {
  const during = (student: Student) => prune.during?.(student, optionsOf({ sparsity: 0.1 }), still());
  expect(during(network(8))?.terms?.[0]).toMatchObject({ name: 'sparsity', weight: 0.1 });
  const g = new GraphBuilder();
  g.output(g.matMul(g.input('x', 'float32', [1, 2]), g.initializer('w', float32([1, 2], [2, 1]))), 'y');
  expect(() => during({ graph: g.build(), parameters: ['w'] })).toThrow(/no normalisation whose scales/);
});
