import { isFloat } from '../../onnx/data-type.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Student } from '../../students/student.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { adamw } from '../../train/adamw.ts';
import { withParameters } from '../../train/step-graph.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { batchesByBucket, variantsOf } from '../batches/training-data.ts';
import { formulateFor } from '../calibrating/formulate.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import { metricsOf, selectedMetric } from '../heads/head-metrics.ts';
import { labelTerms } from '../heads/label-terms.ts';
import { modelSelection } from '../heads/model-selection.ts';
import { parameterEvaluator } from '../measuring/evaluate-parameters.ts';
import type { HeadData } from './train-head.ts';

export interface FineTuneOptions {
  readonly epochs: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly batchSize: number;
}

type Classifier = Pick<TextTeacherSource, 'model' | 'constants'>;

// A plan counts with these too.
export const WHOLE_GRAD_NORM = 1;
export const WHOLE_CHECKPOINT_SECONDS = 60;

/** Trains all of a classifier's weights on the labelled samples, from where they are. */
export async function fineTune(
  run: RunContext,
  teacher: Classifier,
  { dataset, heads, name = 'teacher' }: HeadData,
  options: FineTuneOptions,
) {
  const { recipe, engine } = run;
  const { labelled, validation } = dataset.splits;
  const student = wholeStudent(teacher);
  const batches = batchesByBucket({ split: labelled, batchSize: options.batchSize, seed: recipe.seed });
  const evaluator = parameterEvaluator({
    engine,
    student,
    split: validation,
    batchSize: options.batchSize,
    outputs: heads,
  });
  const totalSteps = options.epochs * batches.batchesPerEpoch;
  try {
    const { parameters, best } = await trainStudent({
      engine,
      student,
      variants: variantsOf(labelled, options.batchSize),
      terms: labelTerms({ dataset, heads }),
      optimizer: adamw({ weightDecay: options.weightDecay }),
      schedule: {
        peak: options.learningRate,
        totalSteps,
        warmup: 0.1,
        decay: 'linear',
      },
      maxGradNorm: WHOLE_GRAD_NORM,
      ...formulateFor(run, totalSteps),
      batches,
      evaluate: evaluator.evaluate,
      selection: modelSelection(metricsOf(heads), selectedMetric(heads), false),
      checkpoints: {
        folder: runCheckpoints(run, `${name}-whole`),
        everySeconds: WHOLE_CHECKPOINT_SECONDS,
      },
      signal: run.options.signal,
      onProgress: (done, total, note) =>
        run.emit({
          type: 'progress',
          stage: 'teacher',
          task: 'training all of it',
          done,
          total,
          unit: 'steps',
          note,
        }),
      onWarning: (message) => run.warn(message),
    });
    return { model: withParameters(student, parameters).graph, validation: best.evaluation };
  } finally {
    await evaluator.close();
  }
}

/** A classifier as a student: all its weights are trained, its constants are not. */
export function wholeStudent({ model, constants }: Classifier): Student {
  return { graph: model, parameters: trainableInitializers(model, constants) };
}

/** The float initializers with more than one element, but for `constants`; scalars are no weights. */
function trainableInitializers(graph: Graph, constants: readonly string[] = []): string[] {
  return [...graph.initializers]
    .filter(([{ name }, { type, data }]) => isFloat(type) && data.length > 1 && !constants.includes(name))
    .map(([value]) => value.name);
}
