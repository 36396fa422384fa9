import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { narrowSplits } from '../onnx/passes/narrow-splits.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { type CarriedTensor, carriedSpecs } from './carried.ts';
import { gradientName } from './compile-gradients.ts';
import { NEXT, type StepOptions } from './compile-step.ts';
import { specOf } from './step-graph.ts';
import { updateParameters } from './update-parameters.ts';

/**
 * The second half of a step, of whatever batch: the optimizer. Inputs: what is trained, `gradient/NAME` of each, the
 * optimizer's state, `learning_rate` and `step`. Outputs: what is trained and the state, under their names + `/next`, and
 * `grad_norm` (before it is limited), float32 [].
 */
export interface CompiledUpdate {
  readonly graph: Graph;
  /** The optimizer's state. */
  readonly carried: readonly CarriedTensor[];
}

/** Compiles the update of what is trained among `carried`. */
export function compileUpdate(
  carried: readonly CarriedTensor[],
  options: Pick<StepOptions, 'optimizer' | 'maxGradNorm'>,
): CompiledUpdate {
  const g = new GraphBuilder();
  const trained = carriedSpecs(carried, 'parameter', 'auxiliary').map(({ name, type, dims }) => ({
    value: g.input(name, type, dims),
    gradient: g.input(gradientName(name), type, dims),
  }));
  const { parameters, state, norm } = updateParameters(
    g,
    options,
    trained.map(({ value }) => value),
    trained.map(({ gradient }) => gradient),
  );
  for (const { parameter, next } of parameters) g.output(next, parameter.name + NEXT);
  for (const { value, next } of state) g.output(next, value.name + NEXT);
  g.output(norm, 'grad_norm');
  return {
    graph: nameOutputs(
      narrowSplits(mergeDuplicates(removeDeadNodes(removeIdentities(g.build('training-update'))))),
    ),
    carried: state.map(({ value }) => ({ spec: specOf(value), role: 'state' as const })),
  };
}
