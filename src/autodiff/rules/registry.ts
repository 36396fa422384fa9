import type { Node } from '../../onnx/graph.ts';
import { addRules, operatorKey } from '../../onnx/shape-inference/rules.ts';
import type { GradientRule } from '../rule.ts';
import { ACTIVATION_RULES } from './activation.ts';
import { BATCH_NORMALIZATION_RULES } from './batch-normalization.ts';
import { CONVOLUTION_RULES } from './convolution.ts';
import { EINSUM_RULES } from './einsum.ts';
import { ELEMENTWISE_RULES } from './elementwise.ts';
import { FUSED_CONVOLUTION_RULES } from './fused-convolution.ts';
import { INDEXING_RULES } from './indexing.ts';
import { MATRIX_RULES } from './matrix.ts';
import { MOVEMENT_RULES } from './movement.ts';
import { NORMALIZATION_RULES } from './normalization.ts';
import { NORMALIZATION_FORMULA_RULES } from './normalization-formulas.ts';
import { PATCH_RULES } from './patches.ts';
import { POOLING_RULES } from './pooling.ts';
import { QUANTIZATION_RULES } from './quantization.ts';
import { REDUCTION_RULES } from './reduction.ts';
import { RESIZE_RULES } from './resize.ts';
import { SAMPLING_RULES } from './sampling.ts';
import { SCAN_RULES } from './scan.ts';
import { SOFTMAX_RULES } from './softmax.ts';
import { TRIGONOMETRY_RULES } from './trigonometry.ts';

/** Every rule, by operator: `MatMul`, `com.microsoft::FusedMatMul`. */
export const GRADIENT_RULES: ReadonlyMap<string, GradientRule> = new Map(
  Object.entries({
    ...ELEMENTWISE_RULES,
    ...TRIGONOMETRY_RULES,
    ...ACTIVATION_RULES,
    ...REDUCTION_RULES,
    ...QUANTIZATION_RULES,
    ...SOFTMAX_RULES,
    ...SCAN_RULES,
    ...NORMALIZATION_RULES,
    ...MATRIX_RULES,
    ...CONVOLUTION_RULES,
    ...FUSED_CONVOLUTION_RULES,
    ...POOLING_RULES,
    ...BATCH_NORMALIZATION_RULES,
    ...NORMALIZATION_FORMULA_RULES,
    ...EINSUM_RULES,
    ...MOVEMENT_RULES,
    ...INDEXING_RULES,
    ...RESIZE_RULES,
    ...SAMPLING_RULES,
    ...PATCH_RULES,
  }),
);

/** Adds the rules of operators that have none. Throws LimbeckError `plugin.duplicate`. */
export function registerGradientRules(rules: Readonly<Record<string, GradientRule>>): void {
  addRules(GRADIENT_RULES as Map<string, GradientRule>, rules, 'gradient');
}

/** The rule of a node's operator, or undefined. */
export function gradientRule(node: Pick<Node, 'domain' | 'opType'>): GradientRule | undefined {
  return GRADIENT_RULES.get(operatorKey(node.domain, node.opType));
}
