import type { TypedValue } from '../../onnx/graph.ts';
import type { GradientRule } from '../rule.ts';

/**
 * A rule of an operator whose sums are computed in float32 (`stash_type`) although its inputs may be float16 or
 * bfloat16: so are those of its gradient, which float16 cannot hold.
 */
export function inFloat32(rule: GradientRule): GradientRule {
  return (call) => {
    const { g } = call;
    const isHalf = (value: TypedValue | null) => value?.type === 'float16' || value?.type === 'bfloat16';
    if (!call.inputs.some(isHalf)) return rule(call);
    const wide = (value: TypedValue | null) => (value && isHalf(value) ? g.cast(value, 'float32') : value);
    const found = rule({
      ...call,
      inputs: call.inputs.map(wide),
      outputs: call.outputs.map(wide),
      outputGradients: call.outputGradients.map(wide),
      needs: call.needs,
      gradients: call.gradients,
    });
    return call.inputs.map((input, i) => {
      const gradient = found[i];
      return input && gradient ? g.cast(gradient, input.type) : null;
    });
  };
}
