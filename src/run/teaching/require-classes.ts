import { LimbeckError } from '../../errors.ts';
import type { ImageTeacherSource, TeacherSource, TextTeacherSource } from '../../teachers/teacher-source.ts';

/** A teacher that is not trained has to be a classifier. @throws LimbeckError `teacher.outputs` */
export function requireLogits({ title, logitsOutput }: TeacherSource): void {
  if (logitsOutput !== undefined) return;
  throw new LimbeckError('teacher.outputs', `${title} is no classifier: it has no logits`, {
    where: 'teacher.train',
    remedy: 'Set teacher.train to head, so that a classifier is trained on its embeddings.',
  });
}

/** A teacher of images of another size cannot be asked. @throws LimbeckError `teacher.inputs` */
export function requireImages(
  { dims, title }: Pick<ImageTeacherSource, 'dims' | 'title'>,
  wanted: readonly number[],
): void {
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

/** Past its last position a teacher looks up what is not there; the engine would say so in the middle of the run. @throws LimbeckError `teacher.length` */
export function requireLength({ title, maxLength }: TextTeacherSource, wanted: number): void {
  if (wanted <= maxLength) return;
  throw new LimbeckError('teacher.length', `the teacher reads ${maxLength} tokens, not ${wanted}`, {
    where: `data.maxLength, for ${title}`,
    remedy: `Set data.maxLength to ${maxLength} or less. For an ONNX file the limit is model_max_length of the tokenizer_config.json beside its tokenizer, or 512.`,
  });
}
