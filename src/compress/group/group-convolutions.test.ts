import { expect, test } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { randomStream } from '../../random.ts';
import { convolution } from '../../students/convolution.ts';
import { ParameterMaker } from '../../students/parameters.ts';
import type { Student } from '../../students/student.ts';
import { group } from '../transforms/group.ts';
import {
  diagonalBlocks,
  layersToGroup,
  shuffled,
  withGroups,
  withGroupsBeside,
} from './group-convolutions.ts';

const context = { where: 'compress[0]' };
const optionsOf = (given: object = {}) => group.options.parse(given);

/** A first layer over the image, and two convolutions one behind the other. */
function chain(channels = 4): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(1, 'chain'));
  const x = g.input('pixel_values', 'float32', ['batch', 1, 5, 5]);
  const layer = (name: string, from: typeof x, inputs: number) =>
    g.scope(name, () => g.relu(convolution(g, make, from, { inputs, outputs: channels, kernel: 3 })));
  const last = layer('third', layer('second', layer('first', x, 1), channels), channels);
  g.output(g.reduceMean(last, { axes: [2, 3], keepDims: false }), 'logits');
  return make.finish(g.build('chain'));
}

const image = () => {
  const random = randomStream(2, 'image');
  return {
    pixel_values: float32(
      Float32Array.from({ length: 50 }, () => random.normal()),
      [2, 1, 5, 5],
    ),
  };
};
const weightOf = ({ graph }: Student, name: string) =>
  [...graph.initializers].find(([value]) => value.name === name)?.[1] as Tensor;

/** The student with zeros where a weight joins channels of different groups. */
function withoutCrossing(student: Student, groups: number): Student {
  const layers = layersToGroup(student, optionsOf({ groups }), context);
  const initializers = new Map(
    [...student.graph.initializers].map(([value, content]) => {
      const layer = layers.find(({ weight }) => weight === value);
      if (!layer) return [value, content];
      const [outputs, inputs] = content.dims as [number, number];
      const order = layer.shuffles ? shuffled(inputs, groups) : Array.from({ length: inputs }, (_, i) => i);
      const data = (content.data as Float32Array).map((number, at) => {
        const [output, input] = [Math.floor(at / (inputs * 9)), Math.floor(at / 9) % inputs];
        const place = order.indexOf(input);
        return Math.floor((output * groups) / outputs) === Math.floor((place * groups) / inputs) ? number : 0;
      });
      return [value, { ...content, data }];
    }),
  );
  return { ...student, graph: { ...student.graph, initializers } };
}

test('groups are the network without the weights that join them, behind a shuffle where a group would only read itself', async () => {
  const student = chain();
  const layers = layersToGroup(student, optionsOf(), context);
  expect(layers.map(({ weight, shuffles }) => [weight.name, shuffles])).toEqual([
    ['second/convolution/weight', false],
    ['third/convolution/weight', true],
  ]);
  const grouped = withGroups(student, layers, 2, ({ weight, shuffles }) =>
    diagonalBlocks(weightOf(student, weight.name), 2, shuffles),
  );
  expect(weightOf(grouped, 'third/convolution/weight').dims).toEqual([4, 2, 3, 3]);
  expect(grouped.parameters).toEqual(student.parameters);
  const [wanted, got] = await Promise.all(
    [withoutCrossing(student, 2), grouped].map(({ graph }) => runGraph(graph, image())),
  );
  const [values, others] = [wanted?.logits?.data, got?.logits?.data] as [Float32Array, Float32Array];
  values.forEach((value, i) => {
    expect(others[i]).toBeCloseTo(value, 5);
  });
});

test('a grouped convolution beside each learns alone: its weights are the only parameters, the network stays', async () => {
  const student = chain();
  const layers = layersToGroup(student, optionsOf({ shuffle: false }), context);
  expect(layers.some(({ shuffles }) => shuffles)).toBe(false);
  const { student: beside, pairs } = withGroupsBeside(student, layers, 2);
  expect(beside.parameters).toEqual(['second/convolution/weight/blocks', 'third/convolution/weight/blocks']);
  const [first] = pairs;
  expect(first).toMatchObject({ weight: 'second/convolution/weight/blocks' });
  const [before, after] = await Promise.all([student, beside].map(({ graph }) => runGraph(graph, image())));
  expect(after?.logits?.data).toEqual(before?.logits?.data);
});

test('from the start, drawn weights are as large as those of a grouped layer', () => {
  const student = chain(8);
  const made = group.before?.(student, optionsOf({ when: 'before', groups: 4 }), {
    ...context,
    outputs: ['logits'],
    random: (...labels) => randomStream(1, ...labels),
  }) as Student;
  const weight = weightOf(made, 'second/convolution/weight');
  expect(weight.dims).toEqual([8, 2, 3, 3]);
  const own = weightOf(student, 'second/convolution/weight').data as Float32Array;
  expect((weight.data as Float32Array)[0]).toBeCloseTo(2 * (own[0] as number), 5);
});

test.each([
  [{ groups: 3 }, /3 groups do not divide the 4 input and 4 output channels of second\/convolution\/weight/],
  [{ skip: ['*'] }, /no convolution that could be grouped/],
])('%j is refused with the name of the layer', (given, problem) => {
  expect(() => layersToGroup(chain(), optionsOf(given), context)).toThrow(problem);
});
