import type { Head } from '../../targets/head.ts';

/** Whether a teacher's answers are kept whole. Of others, int8 and float32 are not compared yet: such a teacher labels in float32. */
export function answersAreWhole(heads: readonly Pick<Head, 'kept'>[]): boolean {
  return heads.every(({ kept }) => !kept);
}
