import { expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { randomStream } from '../random.ts';
import { linearHead } from '../targets/linear-head.ts';
import { buildStudent } from './build-student.ts';
import { ParameterMaker } from './parameters.ts';
import { textNgrams } from './text-ngrams.ts';
import { vit } from './vit.ts';

it('counts parameters before it draws any, and refuses more than the machine has memory to train', () => {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(1, 'large'), 16 * 3_000_000);
  make.he('first', 1000, 1000);
  make.constant('second', [1e6, 1e6], 0);
  const began = performance.now();
  expect(() => make.finish(g.build())).toThrow(
    expect.objectContaining({
      code: 'recipe.invalid',
      where: 'student',
      message: expect.stringMatching(
        /its 1,000,001,000,000 parameters, .* take 16\.0 TB \(4000\.0 GB as float32\), and the machine has 48\.0 MB$/,
      ),
    }),
  );
  expect(performance.now() - began).toBeLessThan(1000);
});

it.each([
  [
    'a vision transformer',
    vit,
    { width: 8192, heads: 8, layers: 96 },
    { channels: 3, height: 64, width: 64 },
  ],
  ['zeros for each n-gram and class', textNgrams, { buckets: 2 ** 24 }, { vocabularySize: 8000 }],
])('refuses %s of every size that recipes take by its sizes alone', (_, backbone, chosen, inputs) => {
  const began = performance.now();
  expect(() =>
    buildStudent({
      backbone: backbone as never,
      options: backbone.options.parse(chosen),
      inputs: inputs as never,
      heads: [linearHead(1_000_000)],
      random: randomStream(1, 'huge'),
    }),
  ).toThrow(/the student is too large to be trained here: its [\d,]{14,} parameters/);
  expect(performance.now() - began).toBeLessThan(2000);
});

it('draws in the order in which parameters were made, and keeps what is inherited', () => {
  const made = (inherited: boolean) => {
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, randomStream(1, 'order'));
    if (inherited)
      make.inherit(new Map([['a', { type: 'float32', dims: [2], data: Float32Array.of(5, 6) }]]));
    make.normal('a', [2], 1);
    make.constant('b', [1], 3);
    make.normal('c', [2], 1);
    const { graph } = make.finish(g.build());
    return [...graph.initializers.values()].map(({ data }) => [...(data as Float32Array)]);
  };
  const random = randomStream(1, 'order');
  const [first, second, third, fourth] = Array.from({ length: 4 }, () => Math.fround(random.normal()));
  expect(made(false)).toEqual([[first, second], [3], [third, fourth]]);
  expect(made(true)).toEqual([[5, 6], [3], [first, second]]);
});
