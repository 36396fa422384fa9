import { join } from 'node:path';
import type { TextDataset } from '../../data/text-dataset.ts';
import type { Tokenizer } from '../../data/tokenizer.ts';
import { LimbeckError } from '../../errors.ts';
import type { StageName } from '../../events.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { objectiveTerms } from '../../objectives/index.ts';
import { percent } from '../../percent.ts';
import { randomStream } from '../../random.ts';
import { TEXT_STUDENTS } from '../../students/index.ts';
import type { Student, TextStudentArchitecture } from '../../students/student.ts';
import { CheckpointFolder } from '../../train/checkpoint.ts';
import { createOptimizer } from '../../train/optimizers.ts';
import { withParameters } from '../../train/step-graph.ts';
import { bestParameters, trainStudent } from '../../train/training-loop.ts';
import { parameterEvaluator } from '../evaluate-parameters.ts';
import { type RunContext, runStage } from '../run-context.ts';
import { textBatches, textVariants } from '../text-batches.ts';
import type { Labels } from './label.ts';

/** A student as training left it: the parameters of its best epoch. */
export interface TrainedStudent {
  readonly student: Student;
  readonly validationAccuracy: number;
}

/** That a training came to its end: a checkpoint alone does not tell. */
interface TrainingFinding {
  readonly steps: number;
}

/** Trains the recipe's student: towards the teacher and, where there are any, the labels. */
export function trainStage(
  run: RunContext,
  dataset: TextDataset,
  tokenizer: Tokenizer,
  labels: Labels,
): Promise<TrainedStudent> {
  return trainText(run, dataset, tokenizer, { stage: 'train', title: 'Train the student', labels });
}

/** Trains the same student, from the same start, on the labels alone. */
export function baselineStage(
  run: RunContext,
  dataset: TextDataset,
  tokenizer: Tokenizer,
): Promise<TrainedStudent> {
  return trainText(run, dataset, tokenizer, {
    stage: 'baseline',
    title: 'Train the baseline: the student without its teacher',
    labels: null,
  });
}

interface TextTraining {
  readonly stage: Extract<StageName, 'train' | 'baseline'>;
  readonly title: string;
  /** null trains on the labels alone. */
  readonly labels: Labels | null;
}

/** One text student trained; also what `limbeck train` does. */
export function trainText(
  run: RunContext,
  dataset: TextDataset,
  tokenizer: Tokenizer,
  { stage, title, labels }: TextTraining,
): Promise<TrainedStudent> {
  const { recipe, engine, folder } = run;
  const { training, objective, seed } = recipe;
  const { batchSize } = training;
  return runStage(run, stage, title, async () => {
    const classes = dataset.labels.length;
    const student = buildStudent(run, tokenizer, classes);
    const split = labels ? dataset.splits.train : dataset.splits.labelled;
    const batches = textBatches({
      split,
      batchSize,
      seed,
      tokenDropout: { fraction: training.tokenDropout, unkId: tokenizer.unkId },
      knowledge: labels ? new Map([['logits', labels.space]]) : undefined,
    });
    const terms = labels ? objectiveTerms(objective, { classes }) : [labelsTerm({ weight: 1 })];
    const evaluator = parameterEvaluator({
      engine,
      student,
      split: dataset.splits.validation,
      batchSize,
      classes,
    });
    const { optimizer, schedule, earlyStopping } = training;
    folder.resetMetrics(stage);
    folder.begin(stage);
    try {
      const epochs = stage === 'baseline' ? recipe.baseline.epochs : training.epochs;
      const result = await trainStudent({
        engine,
        student,
        variants: textVariants(split, batchSize),
        terms,
        optimizer: createOptimizer(optimizer),
        schedule: { ...schedule, peak: optimizer.learningRate, totalSteps: epochs * batches.batchesPerEpoch },
        maxGradNorm: training.maxGradNorm,
        batches,
        evaluateEvery: training.evaluateEvery,
        evaluate: evaluator.evaluate,
        selection: earlyStopping || { metric: 'accuracy' },
        checkpoints: {
          folder: new CheckpointFolder(join(folder.path, 'checkpoints', stage)),
          everySeconds: training.checkpointEvery,
        },
        signal: run.options.signal,
        onProgress: (done, total, note) =>
          run.emit({ type: 'progress', stage, task: 'training', done, total, unit: 'steps', note }),
        onMetrics: (values) => {
          folder.addMetrics(stage, values);
          run.emit({ type: 'metrics', stage, values });
        },
        onWarning: (message) => run.warn(message),
      });
      const { accuracy } = result.best.evaluation;
      const finding: TrainingFinding = { steps: result.steps };
      folder.finish(stage, finding);
      const speed = Math.round(result.samples / Math.max(result.seconds, 1e-9));
      return {
        value: { student: withParameters(student, result.parameters), validationAccuracy: accuracy },
        summary:
          `${percent(accuracy)} on the validation split after ${result.best.step} of ${result.steps} steps` +
          ` (${speed} texts/s)${result.stoppedEarly ? ', stopped early' : ''}`,
      };
    } finally {
      await evaluator.close();
    }
  });
}

/** The recipe's student with its initial parameters: the same ones for the student and for its baseline. */
export function buildStudent(
  run: Pick<RunContext, 'recipe'>,
  tokenizer: Tokenizer,
  classes: number,
): Student {
  const { recipe } = run;
  const architecture = TEXT_STUDENTS.find(({ kind }) => kind === recipe.student.kind) as
    | TextStudentArchitecture
    | undefined;
  if (!architecture) throw new Error(`no student ${recipe.student.kind}`);
  return architecture.build(recipe.student, {
    vocabularySize: tokenizer.vocabularySize,
    classes,
    maxLength: recipe.data.maxLength,
    random: randomStream(recipe.seed, 'student'),
  });
}

/** The student that a finished training left in its checkpoint. Throws LimbeckError `export.missing` without one. */
export function finishedStudent(run: RunContext, tokenizer: Tokenizer, classes: number): TrainedStudent {
  const folder = run.folder.file('checkpoints', 'train');
  const finished = run.folder.finding<TrainingFinding>('train') !== undefined;
  const checkpoint = finished && new CheckpointFolder(folder).load((error) => run.warn(error.toString()));
  const best = checkpoint && bestParameters(checkpoint);
  if (!best) {
    const problem = finished ? 'has no checkpoint of its student' : 'has no trained student yet';
    throw new LimbeckError('export.missing', `the run ${problem}`, {
      where: folder,
      remedy:
        'Let it train to its end first: `limbeck distill` (or `limbeck train`) with its recipe and folder.',
    });
  }
  return {
    student: withParameters(buildStudent(run, tokenizer, classes), best.parameters),
    validationAccuracy: best.accuracy,
  };
}
