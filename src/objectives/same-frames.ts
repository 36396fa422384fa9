import { LimbeckError } from '../errors.ts';
import type { TaughtPart } from './layer-pairs.ts';

/** A value with a place for each token, or, of a model that listens, for each of its own frames. */
interface Placed {
  readonly frames?: number | undefined;
}

/**
 * Refuses pairs of layers with different numbers of frames: texts of both models have the same tokens, the frames of two models
 * that listen may be of different lengths.
 *
 * @param nameOf the value in the graph, for the message
 * @throws LimbeckError `recipe.invalid`
 */
export function requireSameFrames<Part extends Placed>(
  objective: string,
  pairs: readonly TaughtPart<Part>[],
  nameOf: (part: Part) => string,
): void {
  const unlike = pairs.find(({ student, teacher }) => student.frames !== teacher.frames);
  if (!unlike) return;
  const { student, teacher } = unlike;
  const many = (frames: number | undefined) => (frames === undefined ? 'tokens' : `${frames} frames`);
  throw new LimbeckError(
    'recipe.invalid',
    `the student's ${many(student.frames)} and the teacher's ${many(teacher.frames)} cannot be compared one by one`,
    {
      where: `objective.${objective}; ${nameOf(student)} and ${nameOf(teacher)}`,
      remedy:
        'Weigh objective.featureMse, objective.similarity or objective.cka, which compare samples as a whole, or give the student as many frames.',
    },
  );
}
