import { ACTIVATION_CASES } from './activation.ts';
import type { GradientCase } from './case.ts';
import { CONVOLUTION_CASES } from './convolution.ts';
import { ELEMENTWISE_CASES } from './elementwise.ts';
import { INDEXING_CASES } from './indexing.ts';
import { LOOP_CASES } from './loops.ts';
import { MATRIX_CASES } from './matrix.ts';
import { MOVEMENT_CASES } from './movement.ts';
import { NORMALIZATION_CASES } from './normalization.ts';
import { POOLING_CASES } from './pooling.ts';
import { QUANTIZATION_CASES } from './quantization.ts';
import { REDUCTION_CASES } from './reduction.ts';
import { RESAMPLING_CASES } from './resampling.ts';
import { TRIGONOMETRY_CASES } from './trigonometry.ts';

/** A case at least for every rule in the registry. */
export const GRADIENT_CASES: GradientCase[] = [
  ...ELEMENTWISE_CASES,
  ...ACTIVATION_CASES,
  ...TRIGONOMETRY_CASES,
  ...REDUCTION_CASES,
  ...MATRIX_CASES,
  ...CONVOLUTION_CASES,
  ...POOLING_CASES,
  ...NORMALIZATION_CASES,
  ...MOVEMENT_CASES,
  ...INDEXING_CASES,
  ...RESAMPLING_CASES,
  ...QUANTIZATION_CASES,
  ...LOOP_CASES,
];
