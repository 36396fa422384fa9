import { elementCount } from '../onnx/tensor.ts';
import { carriedSpecs } from './carried.ts';
import type { CompiledModel } from './compile-model.ts';
import { NEXT } from './compile-step.ts';
import type { StepDescription } from './step-description.ts';
import type { TensorSpec } from './step-graph.ts';

export interface DescribeStepOptions {
  /** Limbeck's version. */
  readonly version: string;
  readonly files: StepDescription['files'];
  readonly sizes: Readonly<Record<string, number>>;
  readonly maxGradNorm?: number | undefined;
  readonly stepsPerRun?: number | undefined;
}

/** The description of a compiled step, as it is written beside it. */
export function describeStep(
  { step, frozen, objectives, optimizer }: CompiledModel,
  { version, files, sizes, maxGradNorm, stepsPerRun = 1 }: DescribeStepOptions,
): StepDescription {
  const carried = (spec: TensorSpec) => ({ ...tensorOf(spec), next: spec.name + NEXT });
  return {
    format: 'limbeck-training-step',
    version: 1,
    limbeck: version,
    usage:
      'Run the model with every input: parameters, buffers and state as they are now, a batch, the scalars. ' +
      'Feed each output `next` to its input in the next run.' +
      (stepsPerRun > 1
        ? ` A run makes ${stepsPerRun} steps: the first axis of batch inputs and of metrics counts them.`
        : ''),
    files,
    sizes: { ...sizes },
    stepsPerRun,
    objectives: objectives.map((objective) => ({ ...objective })),
    optimizer: withoutRate(optimizer),
    maxGradNorm: maxGradNorm ?? null,
    parameters: carriedSpecs(step.carried, 'parameter', 'auxiliary').map(carried),
    buffers: carriedSpecs(step.carried, 'statistic').map(carried),
    state: carriedSpecs(step.carried, 'state').map((spec) => ({
      ...carried(spec),
      initial: 'zeros' as const,
    })),
    batch: step.batchInputs.map((spec) => ({
      ...tensorOf(spec),
      meaning: step.meanings.get(spec.name) ?? 'an input of the model',
    })),
    scalars: [
      {
        name: 'learning_rate',
        type: 'float32',
        shape: [],
        meaning: 'the learning rate of this run',
        suggested: optimizer.learningRate as number,
      },
      {
        name: 'step',
        type: 'float32',
        shape: [],
        meaning: `the number of the ${stepsPerRun > 1 ? "run's first " : ''}step, from 1`,
      },
    ],
    metrics: step.metrics.map((name) => ({
      name,
      type: 'float32',
      shape: stepsPerRun > 1 ? [stepsPerRun] : [],
      meaning: METRICS[name] ?? `the term ${name.slice('loss/'.length)}, without its weight`,
    })),
    frozen: frozen.map((one) => ({ ...one })),
  };
}

const METRICS: Readonly<Record<string, string>> = {
  loss: 'the weighted sum of all terms',
  grad_norm: "the gradient's norm over all parameters, before it is limited",
};

function tensorOf({ name, type, dims }: TensorSpec) {
  return { name, type, shape: [...dims] };
}

function withoutRate({
  learningRate: _,
  ...optimizer
}: CompiledModel['optimizer']): StepDescription['optimizer'] {
  return optimizer as StepDescription['optimizer'];
}

/** Numbers that learn, in all. */
export function parameterCount({ step }: CompiledModel): number {
  return carriedSpecs(step.carried, 'parameter').reduce((sum, { dims }) => sum + elementCount(dims), 0);
}
