import type { Engine } from '../engine/engine.ts';
import type { ObjectiveTerm } from '../objectives/objective.ts';
import type { Graph } from '../onnx/graph.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Student } from '../students/student.ts';
import { takenFeeds } from './batch-feeds.ts';
import type { BatchSource, TrainingBatch } from './batch-source.ts';
import { firstContents } from './carried.ts';
import { carriedBy, untrainedStatistics } from './compile-step.ts';
import { SessionsByVariant } from './sessions-by-variant.ts';
import { buildStepGraph, trainedTensors } from './step-graph.ts';
import { totalLoss } from './step-loss.ts';
import { parameterGradients } from './update-parameters.ts';

export interface LossGradientsOptions {
  readonly engine: Engine;
  readonly student: Student;
  readonly terms: readonly ObjectiveTerm[];
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly batches: BatchSource;
  readonly seed?: number;
  /** Settings that steps are fed besides their batches. */
  readonly settings?: TrainingBatch['feeds'];
}

/**
 * The gradient of a loss with respect to a student's parameters, as they stand in its graph, on the first `count` batches of an
 * epoch: `visit` is called for each of them, with gradients by the names of the parameters.
 */
export async function lossGradients(
  options: LossGradientsOptions,
  count: number,
  visit: (gradients: ReadonlyMap<string, Float32Array>) => void,
): Promise<void> {
  const { engine, student, variants, batches, settings } = options;
  const compiled = new Map<string, ReturnType<typeof compiledGradients>>();
  const compiledFor = (variant: string) => {
    const known = compiled.get(variant) ?? compiledGradients(options, variants[variant] ?? {});
    compiled.set(variant, known);
    return known;
  };
  const sessions = new SessionsByVariant((variant) =>
    engine.load(writeModel(compiledFor(variant).graph), {
      title: 'the gradients of a loss',
      spinning: false,
    }),
  );
  const contents = new Map(
    [...trainedTensors(student)].map(([name, { data }]) => [name, data as Float32Array]),
  );
  try {
    for (let index = 0; index < Math.min(count, batches.batchesPerEpoch); index++) {
      const batch = await batches.batch({ epoch: 0, index }, { student, parameters: () => contents });
      const session = await sessions.get(batch.variant);
      const { carried } = compiledFor(batch.variant);
      const feeds = { ...copiesOf(firstContents(carried)), ...settings, ...batch.feeds };
      const results = await session.run(takenFeeds(session, feeds));
      visit(
        new Map(student.parameters.map((name) => [name, results[`gradient/${name}`]?.data as Float32Array])),
      );
    }
  } finally {
    await sessions.release();
  }
}

function compiledGradients(
  { student, terms, seed }: LossGradientsOptions,
  sizes: Readonly<Record<string, number>>,
): { readonly graph: Graph; readonly carried: ReturnType<typeof carriedBy> } {
  const step = buildStepGraph(student, sizes, terms, untrainedStatistics(student), { seed });
  const { g } = step;
  const found = parameterGradients(step, totalLoss(g, step));
  step.parameters.forEach((parameter, i) => {
    const gradient = found[i];
    if (gradient) g.output(gradient, `gradient/${parameter.name}`);
  });
  return {
    graph: nameOutputs(removeDeadNodes(removeIdentities(g.build('loss-gradients')))),
    carried: carriedBy(student, step, []),
  };
}

/** ONNX Runtime writes what running statistics become over the tensors that it was fed. */
function copiesOf(tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      { ...tensor, data: (tensor.data as Float32Array).slice() },
    ]),
  );
}
