import type { Node } from './graph.ts';
import { STANDARD_OPERATORS } from './schema/standard-operators.ts';

/** An operator from an opset on. */
interface Form {
  readonly since: number;
  /** Undefined where the operator was taken out. */
  readonly inputs: { readonly least: number; readonly most: number } | undefined;
  readonly attributes: readonly string[];
}

/** Operators that ONNX Runtime keeps among the standard ones, in every opset. */
const RUNTIMES_OWN = new Set([
  'ATen',
  'Affine',
  'ConstantFill',
  'Crop',
  'DynamicSlice',
  'GivenTensorFill',
  'ImageScaler',
  'LayerNormalization',
  'MeanVarianceNormalization',
  'ParametricSoftplus',
  'Scale',
  'ScaledTanh',
  'SimplifiedLayerNormalization',
  'ThresholdedRelu',
]);

let forms: ReadonlyMap<string, readonly Form[]> | undefined;

/**
 * How a node does not fit the opset that its model states, as ONNX Runtime would find when it loads it; undefined where it fits, and for
 * operators of other domains.
 *
 * @returns a sentence, and what to do
 */
export function misfit(node: Node, opset: number): { problem: string; remedy: string } | undefined {
  if (node.domain !== '' || RUNTIMES_OWN.has(node.opType)) return undefined;
  forms ??= parsed();
  const all = forms.get(node.opType);
  if (!all) return { problem: `there is no operator ${node.opType}`, remedy: ANEW };
  const form = all.findLast(({ since }) => since <= opset);
  const first = (all[0] as Form).since;
  if (!form) return later(`${node.opType} came with opset ${first}`, first);
  if (!form.inputs) return { problem: `${node.opType} was taken out with opset ${form.since}`, remedy: ANEW };
  const count = node.inputs.length;
  const { least, most } = form.inputs;
  if (count < least || count > most) {
    const fitting = all.find(({ since, inputs }) => since > opset && inputs && count <= inputs.most);
    const takes = least === most ? `${most}` : `${least} to ${most}`;
    return later(`${node.opType} takes ${takes} inputs there, and has ${count}`, fitting?.since);
  }
  const odd = [...node.attributes.keys()].find(
    (name) => !form.attributes.includes(name) && !name.startsWith('__'),
  );
  if (odd === undefined) return undefined;
  const fitting = all.find(({ since, attributes }) => since > opset && attributes.includes(odd));
  return later(`${node.opType} has no attribute ${odd} there`, fitting?.since);
}

const ANEW = 'Export the model anew, with standard operators.';

/** @param opset that has what is missing; undefined where none after this one has it */
function later(problem: string, opset: number | undefined): { problem: string; remedy: string } {
  return { problem, remedy: opset === undefined ? ANEW : `Export the model with opset ${opset} or later.` };
}

function parsed(): ReadonlyMap<string, readonly Form[]> {
  const lines = STANDARD_OPERATORS.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [name = ''] = line.split(' ', 1);
      return [
        name,
        line
          .slice(name.length + 1)
          .split('; ')
          .map(parsedForm),
      ];
    }),
  );
}

function parsedForm(text: string): Form {
  const [since, inputs = '', attributes = ''] = text.split(' ');
  const [least, most] = inputs.split('..');
  return {
    since: Number(since),
    inputs: inputs === '-' ? undefined : { least: Number(least), most: most ? Number(most) : Infinity },
    attributes: attributes.split(','),
  };
}
