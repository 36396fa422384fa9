import { LimbeckError } from '../../errors.ts';
import type { ImageTeacherSource, TeacherSource } from '../../teachers/teacher-source.ts';

/** A teacher that is not trained has to be a classifier. @throws LimbeckError `teacher.outputs` */
export function requireLogits({ title, logitsOutput }: TeacherSource): void {
  if (logitsOutput !== undefined) return;
  throw new LimbeckError('teacher.outputs', `${title} is no classifier: it has no logits`, {
    where: 'teacher.train',
    remedy: 'Set teacher.train to head, so that a classifier is trained on its embeddings.',
  });
}

/** A teacher of images of another size cannot be asked. @throws LimbeckError `teacher.inputs` */
export function requireImages({ dims, title }: ImageTeacherSource, wanted: readonly number[]): void {
  // One grey channel is given as the three that a model of colours takes.
  const isGrey = wanted[0] === 1 && dims[0] === 3;
  const fits = (size: number | undefined, axis: number) =>
    size === undefined || size === wanted[axis] || (axis === 0 && isGrey);
  if (dims.every(fits)) return;
  throw new LimbeckError(
    'teacher.inputs',
    `the teacher takes images of [${dims.map((size) => size ?? 'any').join(', ')}], the data has [${wanted.join(', ')}]`,
    { where: title, remedy: 'Take a teacher that was trained on images of this size.' },
  );
}
