import { expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { buildClassifier } from '../students/build-student.ts';
import { mobilenetV3 } from '../students/mobilenet-v3.ts';
import { laggingStatistics } from './running-statistics.ts';

const student = (momentum: number) =>
  buildClassifier(mobilenetV3, mobilenetV3.options.parse({ size: 'tiny', width: 0.25, momentum }), {
    ...{ channels: 1, height: 28, width: 28, classes: 10 },
    random: randomStream(1, 'student'),
  });

it('warns of a training in which running statistics stay near their initial values', () => {
  expect(laggingStatistics(student(0.99).graph, 120)).toMatch(
    /30 % .* 120 steps \(momentum 0\.99\).* 299 steps/,
  );
  expect(laggingStatistics(student(0.99).graph, 299)).toBeUndefined();
  expect(laggingStatistics(student(0.9).graph, 120)).toBeUndefined();
});

it('has nothing to say of a network without batch normalisation', () => {
  expect(laggingStatistics({ nodes: [] }, 1)).toBeUndefined();
});
