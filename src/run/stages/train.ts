import type { OrderOf } from '../../data/batches/curriculum-order.ts';
import { LimbeckError } from '../../errors.ts';
import { formatMetric } from '../../metrics/format-metric.ts';
import { objectiveTerms } from '../../objectives/index.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { bestParameters } from '../../train/resume.ts';
import { withParameters } from '../../train/step-graph.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { formulateFor } from '../calibrating/formulate.ts';
import { artifact, optional } from '../context/artifact.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import type { StageEnd } from '../context/stage-end.ts';
import type { TaskData } from '../context/task.ts';
import { metricsOf, selectedMetric } from '../heads/head-metrics.ts';
import { labelTerms } from '../heads/label-terms.ts';
import { modelSelection } from '../heads/model-selection.ts';
import { parameterEvaluator } from '../measuring/evaluate-parameters.ts';
import { planStudent } from '../planning/student-stages.ts';
import type { Lessons } from '../teaching/lessons.ts';
import { withDecidedTemperature } from '../training/decided-temperature.ts';
import type { TrainedStudent } from '../training/trained-student.ts';
import { trainingPlan } from '../training/training-plan.ts';
import { DATA } from './data.ts';
import { LESSONS } from './label.ts';
import { PEERS, withAssistant } from './peer.ts';
import { stage } from './stage.ts';

/** That a training came to its end: a checkpoint alone does not tell. */
interface TrainingFinding {
  readonly steps: number;
}

export const STUDENT = artifact<TrainedStudent>('student');

/** Trains the recipe's student: towards the teacher and, where there are any, the labels. */
export const trainStage = stage({
  name: 'train',
  about: 'the student learns from the answers kept',
  needs: { data: DATA, lessons: LESSONS, peers: optional(PEERS) },
  makes: STUDENT,
  title: () => 'Train the student',
  run: (run, { data, lessons: { answers, context }, peers }) =>
    train(run, data, {
      stage: 'train',
      lessons: { answers, context: withAssistant(context, peers?.assistant) },
    }),
  plan: planStudent,
});

/** Trains the recipe's student on the labels alone: what `limbeck train` does. */
export const labelsTrainingStage = stage({
  name: 'train',
  about: 'the student learns from the labels',
  needs: { data: DATA },
  makes: STUDENT,
  title: () => 'Train on the labels',
  run: (run, { data }) => train(run, data, { stage: 'train', lessons: null }),
  plan: planStudent,
});

interface Training {
  readonly stage: 'train' | 'baseline';
  /** null trains on the labels alone. */
  readonly lessons: Lessons | null;
}

/** Trains one student from its first parameters; a training that was cut off goes on. */
export async function train(
  run: RunContext,
  data: TaskData,
  { stage: name, lessons }: Training,
): Promise<StageEnd<TrainedStudent>> {
  const { recipe, engine, folder } = run;
  const { training } = recipe;
  const { dataset } = data;
  const drawn = data.buildStudent();
  const started = lessons && (await data.startStudent?.(lessons.answers.spaces, run));
  const student = started ? withParameters(drawn, started) : drawn;
  const trainingIn = (orderOf?: OrderOf) =>
    lessons
      ? data.training('train', lessons.answers.spaces, lessons.answers.added, orderOf)
      : data.training('labelled', undefined, undefined, orderOf);
  const { batches, variants } = trainingIn();
  const taught = lessons ? withDecidedTemperature(run, data, lessons) : run;
  const terms = lessons
    ? objectiveTerms(taught.recipe.objective, lessons.context)
    : labelTerms(data, recipe.objective);
  const evaluator = parameterEvaluator({
    engine,
    student,
    split: dataset.splits.validation,
    batchSize: training.batchSize,
    outputs: data.heads,
  });
  const { optimizer, schedule } = training;
  const selection = modelSelection(metricsOf(data.heads), selectedMetric(data.heads), training.earlyStopping);
  const epochs = name === 'baseline' ? recipe.baseline.epochs : training.epochs;
  const totalSteps = epochs * batches.batchesPerEpoch;
  const plan = await trainingPlan(taught, data, lessons, {
    stage: { name, terms, steps: totalSteps },
    batches,
    variants,
    batchesIn: (orderOf) => trainingIn(orderOf).batches,
  });
  folder.resetMetrics(name);
  folder.begin(name);
  try {
    const result = await trainStudent({
      engine,
      student,
      variants,
      terms,
      seed: recipe.seed,
      optimizer: createOptimizer(optimizer),
      schedule: { ...schedule, peak: optimizer.learningRate, totalSteps },
      maxGradNorm: training.maxGradNorm,
      accumulate: training.accumulate,
      ...plan,
      ...formulateFor(run, totalSteps),
      evaluateEvery: training.evaluateEvery,
      evaluate: evaluator.evaluate,
      selection,
      checkpoints: {
        folder: runCheckpoints(run, name),
        everySeconds: training.checkpointEvery,
      },
      signal: run.options.signal,
      onProgress: (done, total, note) =>
        run.emit({ type: 'progress', stage: name, task: 'training', done, total, unit: 'steps', note }),
      onMetrics: (values) => {
        folder.addMetrics(name, values);
        run.emit({ type: 'metrics', stage: name, values });
      },
      onWarning: (message) => run.warn(message),
    });
    plan.finish?.();
    const { step, evaluation } = result.best;
    const finding: TrainingFinding = { steps: result.steps };
    folder.finish(name, finding);
    const speed = Math.round(result.samples / Math.max(result.seconds, 1e-9));
    return {
      value: { student: withParameters(student, result.parameters), validation: evaluation },
      summary:
        `${formatMetric(selection.metric, evaluation)} on the validation split after ${step} of ${result.steps} steps` +
        ` (${speed} ${data.task.unit}/s)${result.stoppedEarly ? ', stopped early' : ''}`,
    };
  } finally {
    await evaluator.close();
  }
}

/** The student that a finished training left in its checkpoint. Throws LimbeckError `export.missing` without one. */
export function finishedStudent(run: RunContext, data: TaskData): TrainedStudent {
  const finding = run.folder.finding<TrainingFinding>('train');
  const student = data.buildStudent();
  const checkpoint = finding && runCheckpoints(run, 'train').load(run.warn);
  const best = checkpoint?.step === finding?.steps && checkpoint && bestParameters(checkpoint);
  if (!best) {
    const problem = finding ? 'has no checkpoint of its finished student' : 'has no trained student yet';
    throw new LimbeckError('export.missing', `the run ${problem}`, {
      where: run.folder.file('checkpoints', 'train'),
      remedy:
        'Let it train to its end first: `limbeck distill` (or `limbeck train`) with its recipe and folder.',
    });
  }
  return {
    student: withParameters(student, best.parameters),
    validation: best.evaluation,
  };
}
