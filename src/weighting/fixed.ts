import { z } from 'zod';

/** The weights of the recipe, from the first step to the last. */
export const fixed = {
  kind: 'fixed',
  options: z.strictObject({}).describe("The recipe's weights, from the first step to the last."),
} as const;
