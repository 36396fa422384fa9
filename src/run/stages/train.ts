import { exitTerms } from '../../compress/exits/exit-terms.ts';
import { duringTraining, foreseeTransforms } from '../../compress/transforms/apply-transforms.ts';
import type { OrderOf } from '../../data/batches/curriculum-order.ts';
import { LimbeckError } from '../../errors.ts';
import { formatMetric } from '../../metrics/format-metric.ts';
import { objectiveTerms } from '../../objectives/index.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { bestParameters } from '../../train/resume.ts';
import { withParameters } from '../../train/step-graph.ts';
import { appliedSoFar } from '../compressing/applied.ts';
import { transformsOf } from '../compressing/transforms-of.ts';
import { artifact, optional } from '../context/artifact.ts';
import { baselineEpochs } from '../context/compared.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import type { StageEnd } from '../context/stage-end.ts';
import type { TaskData } from '../context/task.ts';
import { metricsOf, selectedMetric } from '../heads/head-metrics.ts';
import { labelTerms } from '../heads/label-terms.ts';
import { modelSelection } from '../heads/model-selection.ts';
import { planStudent } from '../planning/student-stages.ts';
import type { Lessons } from '../teaching/lessons.ts';
import { withDecidedTemperature } from '../training/decided-temperature.ts';
import { fitStudent } from '../training/fit-student.ts';
import type { TrainedStudent } from '../training/trained-student.ts';
import { trainingPlan, withTerms } from '../training/training-plan.ts';
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
  run: (run, { data, lessons, peers }) =>
    train(run, data, {
      stage: 'train',
      lessons: { ...lessons, context: withAssistant(lessons.context, peers?.assistant) },
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
  const { recipe, folder } = run;
  const { training } = recipe;
  const drawn = data.buildStudent();
  const started = lessons && (await data.startStudent?.(lessons.answers.spaces, run));
  const student = started ? withParameters(drawn, started) : drawn;
  if (name === 'train') await foreseeTransforms(student, transformsOf(recipe, data.heads));
  const trainingIn = (orderOf?: OrderOf) =>
    lessons
      ? data.training('train', lessons.answers.spaces, lessons.answers.added, orderOf)
      : data.training('labelled', undefined, undefined, orderOf);
  const { batches, variants } = trainingIn();
  const taught = lessons ? withDecidedTemperature(run, data, lessons) : run;
  const terms = lessons
    ? objectiveTerms(taught.recipe.objective, lessons.context)
    : labelTerms(data, recipe.objective);
  const selection = modelSelection(metricsOf(data.heads), selectedMetric(data.heads), training.earlyStopping);
  const epochs = name === 'baseline' ? baselineEpochs(recipe) : training.epochs;
  const totalSteps = epochs * batches.batchesPerEpoch;
  // The baseline is trained plainly.
  const steps = duringTraining(
    student,
    transformsOf(name === 'train' ? recipe : plainOf(recipe), data.heads),
  );
  const added = [...steps.terms, ...exitTerms(steps.student.graph, terms)];
  const plan = await trainingPlan(taught, data, lessons, {
    stage: { name, terms, steps: totalSteps },
    batches,
    variants,
    batchesIn: (orderOf) => trainingIn(orderOf).batches,
  });
  folder.resetMetrics(name);
  folder.begin(name);
  const result = await fitStudent(run, data, {
    name: [name],
    task: 'training',
    student: steps.student,
    variants,
    terms: [...terms, ...added],
    totalSteps,
    learningRate: training.optimizer.learningRate,
    plan: withTerms(plan, added),
    selection,
  });
  const { step, evaluation } = result.best;
  const finding: TrainingFinding = { steps: result.steps };
  folder.finish(name, finding);
  const speed = Math.round(result.samples / Math.max(result.seconds, 1e-9));
  return {
    value: {
      student: steps.finish(withParameters(steps.student, result.parameters)),
      validation: evaluation,
      ...(name === 'train' && appliedSoFar(recipe)),
    },
    summary:
      `${formatMetric(selection.metric, evaluation)} on the validation split after ${step} of ${result.steps} steps` +
      ` (${speed} ${data.task.unit}/s)${result.stoppedEarly ? ', stopped early' : ''}`,
  };
}

/** A recipe without its transforms. */
function plainOf({ seed, export: exported }: Recipe): Pick<Recipe, 'seed' | 'compress' | 'export'> {
  return { seed, export: exported };
}

/** The student that a finished training left in its checkpoint. Throws LimbeckError `export.missing` without one. */
export function finishedStudent(run: RunContext, data: TaskData): TrainedStudent {
  const finding = run.folder.finding<TrainingFinding>('train');
  const { student, finish } = duringTraining(data.buildStudent(), transformsOf(run.recipe, data.heads));
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
    student: finish(withParameters(student, best.parameters)),
    validation: best.evaluation,
    ...appliedSoFar(run.recipe),
  };
}
