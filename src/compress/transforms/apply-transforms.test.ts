import { expect, test } from 'vitest';
import { randomStream } from '../../random.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { resnet } from '../../students/resnet.ts';
import { afterTraining, beforeTraining, duringTraining, foreseeTransforms } from './apply-transforms.ts';
import type { TransformItem } from './index.ts';

const student = buildClassifier(
  resnet,
  { width: 4, stages: 1, blocks: 1, bottleneck: false, zeroInit: false },
  { channels: 1, height: 6, width: 6, classes: 3, random: randomStream(1, 'student') },
);

test('a student without transforms is trained as it is: the steps are the same to the bit', async () => {
  const none = { items: [], seed: 1, outputs: ['logits'] };
  expect(beforeTraining(student, none)).toBe(student);
  const during = duringTraining(student, none);
  expect(during.student).toBe(student);
  expect(during.terms).toEqual([]);
  expect(during.finish(student)).toBe(student);
  expect(afterTraining([])).toEqual([]);
  await foreseeTransforms(student, none);
});

test('so is one whose transforms all come after the training', () => {
  const items = [{ kind: 'low-rank', keep: 0.9, epochs: 1 }, { kind: 'qat' }] as TransformItem[];
  const list = { items, seed: 1, outputs: ['logits'] };
  expect(beforeTraining(student, list)).toBe(student);
  expect(duringTraining(student, list)).toMatchObject({ student, terms: [] });
  expect(afterTraining(items).map(({ item }) => item.kind)).toEqual(['low-rank', 'qat']);
});
