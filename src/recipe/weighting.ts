import { WEIGHTINGS } from '../weighting/index.ts';
import { registryUnion } from './registry-union.ts';
import { plainWhenOff } from './switched-off.ts';

/** How strongly each term of the loss counts over time; the recipe's weights are where it starts. */
export const weightingSchema = plainWhenOff(
  registryUnion(WEIGHTINGS)
    .prefault({ kind: 'fixed' })
    .describe(
      "How strongly each term of the loss counts over time. All kinds start with the objective's weights.",
    ),
);
