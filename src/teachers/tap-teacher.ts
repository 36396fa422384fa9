import { gradients } from '../autodiff/gradients.ts';
import { prepareForGradients } from '../autodiff/prepare.ts';
import { ANSWERED, SEQUENCE } from '../data/columns.ts';
import { LimbeckError } from '../errors.ts';
import { nearestNames } from '../nearest.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { lowerBatchNorm } from '../onnx/passes/lower-batch-norm.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import type { KnowledgeRequest, TeacherGraph } from './knowledge-request.ts';

/** A teacher that answers requests: its model with an output for each. */
export interface TappedTeacher {
  readonly graph: Graph;
  /** The shape of each tap for a sample: numbers, and `sequence` for the length of a text, whatever the model calls it. */
  readonly dims: ReadonlyMap<string, readonly (number | typeof SEQUENCE)[]>;
}

/**
 * A teacher's model with what is asked of it as its outputs, under the names of the taps. Fused operators (attention) are
 * taken apart, so that what is inside them can be named.
 *
 * @throws LimbeckError `teacher.tap` when a request names a value that is not there (with the nearest names), or gives
 *   something that cannot be kept; `train.no-gradient` when a gradient is asked for that the model does not have.
 */
export function tapTeacher(model: Graph, requests: readonly KnowledgeRequest[]): TappedTeacher {
  const prepared = prepareForGradients(model);
  const g = new GraphBuilder(prepared.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of prepared.inputs) {
    if (!type || !shape) throw new Error(`the teacher's input ${name} has no type or shape`);
    bound.set(name, g.input(name, type, shape));
  }
  const values = g.inline(prepared, bound, 'teacher');
  const length = sequenceName(prepared);
  const named = (among: ReadonlyMap<string, TypedValue>, name: string) => {
    const value = among.get(name);
    if (value) return value;
    throw new LimbeckError('teacher.tap', `the teacher has no value '${name}'`, {
      where: `the nearest names: ${nearestNames(name, [...values.keys()])}`,
      remedy: '`limbeck inspect MODEL` lists what a model has to offer.',
    });
  };
  const teacher: TeacherGraph = {
    value: (name) => named(values, name),
    has: (name) => values.has(name),
    rerun(replaced) {
      const again = g.inline(prepared, new Map([...bound, ...replaced]), 'again');
      return (name) => named(again, name);
    },
    gradient(of, name) {
      return this.gradients(of, [name])[0] as TypedValue;
    },
    gradients(of, names) {
      const sum = of.shape.length === 0 ? of : g.reduceSum(of, { keepDims: false });
      const values = names.map((name) => this.value(name));
      return gradients(g, sum, values).map((slope, index) => slope ?? g.mul(values[index] as TypedValue, 0));
    },
  };
  const dims = new Map<string, readonly (number | typeof SEQUENCE)[]>();
  for (const { tap, build } of requests) {
    const value = g.scope(`tap/${dims.size}`, () => build(g, teacher));
    dims.set(tap, keptDims(tap, value, length));
    g.output(value, tap);
  }
  const graph = lowerBatchNorm(removeIdentities(g.build(model.name)));
  return { graph: nameOutputs(mergeDuplicates(removeDeadNodes(graph))), dims };
}

/** What a text model calls the length of its texts. */
function sequenceName({ inputs }: Graph): string | undefined {
  const dim = inputs.find(({ name }) => name === 'input_ids')?.shape?.[1];
  return typeof dim === 'string' ? dim : undefined;
}

function keptDims(tap: string, { type, shape }: TypedValue, length: string | undefined) {
  const dims = shape.slice(1).map((dim) => (dim === length || dim === ANSWERED ? SEQUENCE : dim));
  const isKept = (dim: number | string): dim is number | typeof SEQUENCE =>
    typeof dim === 'number' || dim === SEQUENCE;
  if (type === 'float32' && shape.length > 0 && dims.every(isKept)) return dims;
  throw new LimbeckError('teacher.tap', `what '${tap}' gives cannot be kept: ${type}${formatShape(shape)}`, {
    where: tap,
    remedy: 'Tap a float32 value [batch, ...] whose other sizes are known (or are the length of the texts).',
  });
}
