import { dynamic } from './dynamic.ts';
import { fixed } from './fixed.ts';
import { gradientNorms } from './gradient-norms.ts';
import { uncertainty } from './uncertainty.ts';

/** How a recipe may let the weights of its terms be decided, under `weighting`. */
export const WEIGHTINGS = [fixed, dynamic, uncertainty, gradientNorms] as const;
