import { LimbeckError } from '../../errors.ts';
import type { TransformContext } from './transform.ts';

/** A transform that does not fit a student: what is wrong, with the layer's name, and what to do. */
export function cannotCompress(
  { where }: Pick<TransformContext, 'where'>,
  problem: string,
  remedy: string,
): LimbeckError {
  return new LimbeckError('compress.invalid', problem, { where, remedy });
}
