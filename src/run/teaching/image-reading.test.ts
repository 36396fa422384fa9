import { expect, it } from 'vitest';
import { TwoSizedProcessor } from '../../data/modalities/image/two-sized-processor.ts';
import { checkRecipe } from '../../recipe/parse.ts';
import type { ImageTeacherSource } from '../../teachers/teacher-source.ts';
import { ownImageReading } from './image-reading.ts';

/** What is looked at before anything is read: the sizes. */
const images: TwoSizedProcessor = Object.create(TwoSizedProcessor.prototype, {
  dims: { value: [1, 8, 8] },
  teacher: { value: { dims: [1, 16, 16] } },
});
const teacher = { title: 'T', dims: [1, 16, 16] } as unknown as ImageTeacherSource;

const recipe = (objective: object) =>
  checkRecipe({
    name: 'sizes',
    task: 'image-classification',
    data: { source: { kind: 'idx', path: 'there' } },
    teacher: { kind: 'onnx-image', model: 'teacher.onnx' },
    student: { kind: 'resnet' },
    objective: { kd: { weight: 1 }, ...objective },
  });

it.each([
  ['objective.attribution', { attribution: { weight: 0.1 } }],
  ['objective.boundary.target: teacher', { boundary: { weight: 0.1, target: 'teacher' } }],
])('refuses %s with a teacher of another size, with both sizes and what to do', (where, objective) => {
  expect(() => ownImageReading(teacher, images, recipe(objective))).toThrow(
    expect.objectContaining({
      code: 'recipe.invalid',
      where: `${where}, with a teacher of 16x16 pixels and a student of 8x8`,
      remedy: expect.stringContaining('give the input the size of the teacher'),
    }),
  );
});

it('has nothing against them where both have one size', () => {
  const same = { ...teacher, dims: [1, 8, 8] } as unknown as ImageTeacherSource;
  expect(ownImageReading(same, images, recipe({ attribution: { weight: 0.1 } }))).toBeUndefined();
});
