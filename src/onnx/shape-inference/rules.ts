import { LimbeckError } from '../../errors.ts';
import { BLOCKED_RULES } from './blocked.ts';
import { CONTROL_FLOW_RULES } from './control-flow.ts';
import { CONVOLUTION_RULES } from './convolution.ts';
import { EINSUM_RULES } from './einsum.ts';
import { ELEMENTWISE_RULES } from './elementwise.ts';
import { FUSED_RULES } from './fused.ts';
import { INDEXING_RULES } from './indexing.ts';
import { MATRIX_RULES } from './matrix.ts';
import { MOVEMENT_RULES } from './movement.ts';
import { NORMALIZATION_RULES } from './normalization.ts';
import { POOLING_RULES } from './pooling.ts';
import { QUANTIZATION_RULES } from './quantization.ts';
import { REDUCTION_RULES } from './reduction.ts';
import { RESAMPLING_RULES } from './resampling.ts';
import type { InferenceRule } from './rule.ts';

const RULES = new Map<string, InferenceRule>(
  Object.entries({
    ...ELEMENTWISE_RULES,
    ...REDUCTION_RULES,
    ...MATRIX_RULES,
    ...CONVOLUTION_RULES,
    ...POOLING_RULES,
    ...NORMALIZATION_RULES,
    ...EINSUM_RULES,
    ...MOVEMENT_RULES,
    ...INDEXING_RULES,
    ...RESAMPLING_RULES,
    ...QUANTIZATION_RULES,
    ...CONTROL_FLOW_RULES,
    ...FUSED_RULES,
    ...BLOCKED_RULES,
  }),
);

/** The name of an operator across domains: `MatMul`, `com.microsoft::FusedMatMul`. */
export function operatorKey(domain: string, opType: string): string {
  return domain === '' || domain === 'ai.onnx' ? opType : `${domain}::${opType}`;
}

/** Adds the rules of operators that have none. Throws LimbeckError `plugin.duplicate`. */
export function registerInferenceRules(rules: Readonly<Record<string, InferenceRule>>): void {
  addRules(RULES, rules, 'shape inference');
}

/** Adds rules to a table, unless one is there for the operator. */
export function addRules<Rule>(
  table: Map<string, Rule>,
  rules: Readonly<Record<string, Rule>>,
  what: string,
): void {
  for (const [operator, rule] of Object.entries(rules)) {
    const known = table.get(operator);
    if (known && known !== rule) {
      throw new LimbeckError('plugin.duplicate', `the operator ${operator} has a rule of ${what} already`, {
        where: `operators of a plugin: ${operator}`,
        remedy: 'Leave it out.',
      });
    }
    table.set(operator, rule);
  }
}

/** Every operator whose shapes are inferred. */
export function inferredOperators(): readonly string[] {
  return [...RULES.keys()];
}

/** The shape inference rule of an operator, or undefined. */
export function inferenceRule(domain: string, opType: string): InferenceRule | undefined {
  return RULES.get(operatorKey(domain, opType));
}
