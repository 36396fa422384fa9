import { qatOptions } from '../qat-options.ts';
import { defineTransform } from './transform.ts';

/** Trains the student further with the roundings of the int8 file that it leaves with, or of the 4-bit one. */
export const qat = defineTransform({
  kind: 'qat',
  title: 'quantisation-aware training',
  options: qatOptions,
  epochs: ({ epochs }) => epochs,
  async foresee(student, given, context) {
    if (given.bits === 4) {
      const { foreseeBlocks } = await import('../train-with-blocks.ts');
      return foreseeBlocks(student, given, context).start;
    }
    const { foreseeRoundings } = await import('../train-with-roundings.ts');
    return foreseeRoundings(student, context);
  },
  async after(student, given, context) {
    // Loaded where it is used: pages do not pay for it.
    if (given.bits === 4) {
      const { trainWithBlocks } = await import('../train-with-blocks.ts');
      return trainWithBlocks(student, given, context);
    }
    const { trainWithRoundings } = await import('../train-with-roundings.ts');
    return trainWithRoundings(student, given, context);
  },
});
