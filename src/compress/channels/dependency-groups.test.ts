import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import { float32, int64, type Tensor } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { randomStream } from '../../random.ts';
import type { Backbone } from '../../students/backbone.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { batchNorm, convolution } from '../../students/convolution.ts';
import { BACKBONES } from '../../students/index.ts';
import { ParameterMaker } from '../../students/parameters.ts';
import type { Student } from '../../students/student.ts';
import { findDependencies, type Unit } from './dependency-groups.ts';
import { removeUnits } from './remove-units.ts';

/** The student with zeros wherever one of the units is. */
function zeroed({ graph, parameters }: Student, units: readonly Unit[]): Student {
  const initializers = new Map([...graph.initializers].map(([value, content]) => [value, { ...content }]));
  for (const { parameter, axis, indices } of units.flatMap(({ parts }) => parts)) {
    const content = initializers.get(parameter) as { dims: readonly number[]; data: Tensor['data'] };
    const inner = content.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const size = content.dims[axis] as number;
    content.data = (content.data as Float32Array).map((value, at) =>
      indices.includes(Math.floor(at / inner) % size) ? 0 : value,
    );
  }
  return { graph: { ...graph, initializers }, parameters };
}

/** Everything of another size than at the start: statistics, scales and biases that are 0 or 1 hide mistakes. */
function disturbed({ graph, parameters }: Student, seed: number): Student {
  const random = randomStream(seed, 'disturbed');
  const initializers = new Map(
    [...graph.initializers].map(([value, content]) => {
      const isPositive = value.name.includes('running_var');
      const data =
        content.type === 'float32' && content.dims.length > 0
          ? (content.data as Float32Array).map((number) =>
              isPositive ? number + random.uniform() : number + 0.3 * random.normal(),
            )
          : content.data;
      return [value, { ...content, data }];
    }),
  );
  return { graph: { ...graph, initializers }, parameters };
}

/** Some units of each group, but not all. */
function someUnits(student: Student, seed: number): Unit[] {
  const random = randomStream(seed, 'removed');
  return findDependencies(student).groups.flatMap(({ units }) =>
    units.slice(1).filter(() => random.uniform() < 0.5),
  );
}

async function differenceAfterCut(student: Student, units: readonly Unit[], feeds: Record<string, Tensor>) {
  const dependencies = findDependencies(student);
  const cut = removeUnits(student, dependencies, new Set(units.map(({ id }) => id)));
  const run = async ({ graph }: Student) => (await runGraph(toEvaluationForm(graph), feeds)).logits;
  const [wanted, got] = [await run(zeroed(student, units)), await run(cut)];
  expect(got?.dims).toEqual(wanted?.dims);
  const [values, others] = [wanted?.data, got?.data] as [Float32Array, Float32Array];
  const scale = Math.max(1, ...values.map(Math.abs));
  const difference = Math.max(...values.map((value, i) => Math.abs(value - others[i])));
  return { cut, difference: difference / scale };
}

function buildStudent(kind: string, options: Record<string, unknown>, inputs: object): Student {
  const backbone = BACKBONES.find((one) => one.kind === kind) as unknown as Backbone;
  const built = buildClassifier(backbone, backbone.options.parse(options), {
    classes: 4,
    random: randomStream(3, kind),
    ...inputs,
  } as never);
  return disturbed(built, 5);
}

const pixels = { channels: 2, height: 12, width: 12 };
const images = () => {
  const random = randomStream(7, 'images');
  return {
    pixel_values: float32(
      Float32Array.from({ length: 2 * 288 }, () => random.normal()),
      [2, 2, 12, 12],
    ),
  };
};
const waveforms = () => {
  const random = randomStream(7, 'waveforms');
  return {
    input_values: float32(
      Float32Array.from({ length: 2 * 288 }, () => random.normal()),
      [2, 288],
    ),
  };
};
const words = { vocabularySize: 40, maxLength: 8, trainingTexts: [[1, 2, 3]] };
const texts = () => ({
  input_ids: int64([1, 5, 9, 2, 3, 4, 0, 0], [2, 4]),
  attention_mask: int64([1, 1, 1, 1, 1, 1, 0, 0], [2, 4]),
});

test.each([
  ['resnet', { width: 8, stages: 2, blocks: 1 }, pixels, images],
  ['resnet', { width: 4, stages: 2, blocks: 1, bottleneck: true }, pixels, images],
  ['mobilenet-v3', { size: 'tiny', width: 0.5 }, pixels, images],
  ['efficientnet-lite', { size: 'tiny', width: 0.5 }, pixels, images],
  ['text-conv', { width: 12 }, words, texts],
] as const)(
  '%s %j without some channels is what it is with zeros there',
  async (kind, options, inputs, feeds) => {
    const student = buildStudent(kind, options, inputs);
    const units = someUnits(student, 11);
    expect(units.length).toBeGreaterThan(4);
    const { cut, difference } = await differenceAfterCut(student, units, feeds());
    expect(difference).toBeLessThan(1e-4);
    const size = ({ graph }: Student) =>
      [...graph.initializers.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(size(cut)).toBeLessThan(size(student));
  },
);

test('heads and neurons of a transformer go alone; its residual width goes with its normalisations', async () => {
  const student = buildStudent('bert', { width: 16, heads: 4, layers: 2, feedForward: 24 }, words);
  const { groups } = findDependencies(student);
  const heads = groups.filter(({ units }) => units.length === 4);
  expect(heads.map(({ name }) => name)).toEqual([
    'encoder/layer.0/attention/self/query/weight',
    'encoder/layer.1/attention/self/query/weight',
  ]);
  const neurons = groups.filter(({ units }) => units.length === 24);
  expect(neurons).toHaveLength(2);
  // A mean over fewer elements is another mean: only what is inside of the layers is the same network.
  const inside = [...heads, ...neurons].flatMap(({ units }) => units.slice(1, 3));
  const { cut, difference } = await differenceAfterCut(student, inside, texts());
  expect(difference).toBeLessThan(1e-4);
  const query = [...cut.graph.initializers.keys()].find(
    ({ name }) => name === 'encoder/layer.0/attention/self/query/weight',
  );
  expect(query?.shape).toEqual([16, 8]);
  const width = groups.find(({ units: [unit] }) =>
    unit?.parts.some(({ parameter }) => parameter.name.includes('LayerNorm')),
  );
  expect(width?.units).toHaveLength(16);
});

test('channels over a waveform, heads and neurons of wav2vec2 go alone; positions go with the width', async () => {
  const sizes = { width: 16, heads: 2, layers: 1, feedForward: 24, channels: 8, projection: 8 };
  const frames = { kernels: [10, 8], strides: [5, 8], positions: 4, positionGroups: 2 };
  const student = buildStudent('wav2vec2', { ...sizes, ...frames }, { samplingRate: 8000, samples: 288 });
  const { groups } = findDependencies(student);
  const touches = (part: RegExp) =>
    groups.filter(({ units: [unit] }) => unit?.parts.some(({ parameter }) => part.test(parameter.name)));
  // A mean over fewer channels is another mean.
  const normalised = touches(/scale$/);
  const inside = groups.filter((group) => !normalised.includes(group));
  expect(inside.map(({ units }) => units.length)).toEqual([8, 2, 24, 8]);
  const units = inside.flatMap(({ units: all }) => all.slice(1, 3));
  const { difference } = await differenceAfterCut(student, units, waveforms());
  expect(difference).toBeLessThan(1e-4);
  expect(touches(/pos_conv_embed/)).toEqual(touches(/encoder\/layer_norm\/scale/));
});

test('heads and neurons of a layer that is repeated go from all of its repetitions', async () => {
  const sizes = { width: 16, heads: 4, layers: 3, feedForward: 24, embedding: 8 };
  const student = buildStudent('albert', sizes, words);
  const { groups } = findDependencies(student);
  const inside = groups.filter(({ units }) => units.length === 4 || units.length === 24);
  expect(inside.map(({ units }) => units.length)).toEqual([4, 24]);
  const units = inside.flatMap((group) => group.units.slice(1, 3));
  const { cut, difference } = await differenceAfterCut(student, units, texts());
  expect(difference).toBeLessThan(1e-4);
  const query = [...cut.graph.initializers.keys()].find(({ name }) =>
    name.endsWith('attention/query/weight'),
  );
  expect(query?.shape).toEqual([16, 8]);
});

/** A random network: convolutions of every kind, sums, concatenations, splits, slices, paddings, pools. */
function randomNetwork(choices: readonly number[]): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(1, 'random', ...choices));
  let x = g.input('pixel_values', 'float32', ['batch', 2, 6, 6]);
  let channels = 2;
  let known: TypedValue[] = [];
  choices.forEach((choice, i) => {
    g.scope(`layer_${i}`, () => {
      const before = channels;
      const step: Record<number, () => void> = {
        0: () => {
          channels = 4 + 2 * (choice % 3);
          x = convolution(g, make, x, { inputs: before, outputs: channels, kernel: 3 });
        },
        1: () => {
          x = batchNorm(g, make, x, channels);
        },
        2: () => {
          x = convolution(g, make, x, { inputs: channels, outputs: channels, kernel: 3, groups: channels });
        },
        3: () => {
          if (channels % 2 !== 0) return;
          x = convolution(g, make, x, { inputs: channels, outputs: channels, kernel: 1, groups: 2 });
        },
        4: () => {
          x = g.relu(g.add(convolution(g, make, x, { inputs: channels, outputs: channels, kernel: 1 }), x));
        },
        5: () => {
          const other = g.scope('other', () =>
            convolution(g, make, x, { inputs: before, outputs: 4, kernel: 1 }),
          );
          x = g.concat([x, other], 1);
          channels += 4;
        },
        6: () => {
          if (channels % 2 !== 0) return;
          const [a, b] = g.node('Split', [x], { axis: 1, num_outputs: 2 }, { outputs: 2 });
          x = g.mul(a as TypedValue, g.sigmoid(b as TypedValue));
          channels /= 2;
        },
        7: () => {
          if (channels < 4) return;
          x = g.slice(x, 1, 1, channels - 1);
          channels -= 2;
        },
        8: () => {
          x = g.op('MaxPool', [x], { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] });
        },
        9: () => {
          const same = known.find((value) => value.shape[1] === channels);
          if (same) x = g.add(x, same);
        },
      };
      step[choice % 10]?.();
      known = [...known, x];
    });
  });
  const flat = g.reshape(x, [0, -1]);
  const inputs = channels * 36;
  const weight = g.scope('hidden', () => make.glorot('weight', inputs, 6));
  const hidden = g.relu(g.gemm(flat, weight, make.constant('bias', [6], 0.1)));
  g.output(g.matMul(hidden, make.glorot('head', 6, 3)), 'logits');
  return disturbed(make.finish(g.build('random')), choices.length);
}

test('random networks without some channels are what they are with zeros there', async () => {
  const feeds = images();
  const small = {
    pixel_values: float32((feeds.pixel_values.data as Float32Array).slice(0, 144), [2, 2, 6, 6]),
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(29), { minLength: 1, maxLength: 9 }),
      fc.nat(1000),
      async (choices, seed) => {
        const student = randomNetwork(choices);
        const units = someUnits(student, seed);
        const { difference } = await differenceAfterCut(student, units, small);
        expect(difference).toBeLessThan(1e-4);
      },
    ),
    { numRuns: 25, seed: 20 },
  );
});

test('what an unknown operator touches stays', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 3]);
  const make = new ParameterMaker(g, randomStream(1, 'unknown'));
  const free = g.relu(g.matMul(x, make.glorot('free', 3, 5)));
  const held = g.op('CumSum', [g.matMul(free, make.glorot('held', 5, 4)), g.scalar(1, 'int64')]);
  g.output(g.matMul(held, make.glorot('head', 4, 2)), 'logits');
  const { groups } = findDependencies(make.finish(g.build()));
  expect(groups.map(({ name, units }) => [name, units.length])).toEqual([['free', 5]]);
});
