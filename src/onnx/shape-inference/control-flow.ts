import { intAttribute, intsAttribute } from '../graph.ts';
import { type Fact, type InferenceRule, inputAt, ShapeError } from './rule.ts';

/** States keep their type and shape; each output gets the length of what is scanned as its first axis. */
const scan: InferenceRule = (context) => {
  const body = context.attributes.get('body');
  const count = intAttribute(context, 'num_scan_inputs', 0);
  const states = context.inputs.length - count;
  if (body?.kind !== 'graph' || count < 1 || states < 0)
    throw new ShapeError('Scan without a body or inputs');
  const axes = [
    ...(intsAttribute(context, 'scan_input_axes') ?? []),
    ...(intsAttribute(context, 'scan_output_axes') ?? []),
  ];
  if (axes.some((axis) => axis !== 0)) throw new ShapeError('Scan along another axis than the first');
  const length = inputAt(context, states).shape[0];
  if (length === undefined) throw new ShapeError('Scan over a single number');
  return body.value.outputs.map(({ name, type, shape }, i): Fact => {
    if (i < states) {
      const state = inputAt(context, i);
      return { type: state.type, shape: state.shape };
    }
    if (!type || !shape) throw new ShapeError(`the shape of the output '${name}' of its body is not known`);
    return { type, shape: [length, ...shape] };
  });
};

export const CONTROL_FLOW_RULES: Record<string, InferenceRule> = { Scan: scan };
