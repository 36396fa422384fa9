import { expect, test } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { randomStream } from '../random.ts';
import { buildClassifier } from '../students/build-student.ts';
import { ParameterMaker } from '../students/parameters.ts';
import { resnet } from '../students/resnet.ts';
import type { Student } from '../students/student.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { foreseeTransforms } from './transforms/apply-transforms.ts';
import type { TransformItem } from './transforms/index.ts';
import { qat } from './transforms/qat.ts';

const random = randomStream(1, 'roundings');
const items = (...list: object[]) => list as unknown as readonly TransformItem[];
const listOf = (...list: object[]) => ({ items: items(...list), seed: 1, outputs: ['logits'] });

/** A student that only scales its input: nothing in it is a layer that int8 is made for. */
function scaling(): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  g.output(g.mul(g.input('x', 'float32', ['batch', 4]), make.constant('scale', [4], 1)), 'logits');
  return make.finish(g.build());
}

test('a student without a layer that int8 is made for is refused before anything is trained, with its place', async () => {
  await expect(foreseeTransforms(scaling(), listOf({ kind: 'qat' }))).rejects.toMatchObject({
    code: 'compress.invalid',
    message: 'the student has no layer that int8 is made for',
    where: 'compress[0]',
  });
});

test('what it is going to leave is foreseen: the student with its normalisations in its weights', async () => {
  const student = buildClassifier(resnet, resnet.options.parse({ width: 4, stages: 2, blocks: 1 }), {
    channels: 1,
    height: 8,
    width: 8,
    classes: 3,
    random,
  });
  const context = { where: 'compress[0]', outputs: ['logits'], random: () => random };
  const foreseen = (await qat.foresee?.(student, qat.options.parse({}), context)) as Student;
  expect(foreseen.graph.nodes.map(({ opType }) => opType)).not.toContain('BatchNormalization');
  expect(quantizableLayers(foreseen.graph).length).toBeGreaterThan(3);
  // What comes after it in a list is looked at as well.
  const after = listOf(
    { kind: 'qat', ...qat.options.parse({}) },
    { kind: 'group', groups: 3, when: 'after', skip: [] },
  );
  await expect(foreseeTransforms(student, after)).rejects.toMatchObject({ where: 'compress[1]' });
});
