import { accuracy } from '../../metrics/accuracy.ts';
import { classMetrics } from '../../metrics/class-metrics.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { weighedOptions } from '../../objectives/index.ts';
import { kdTerm } from '../../objectives/kd-logits.ts';
import type { ObjectiveContext } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import { percent } from '../../percent.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { LOGITS } from '../../teachers/teacher-source.ts';
import { adamw } from '../../train/adamw.ts';
import { withParameters } from '../../train/step-graph.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { artifact } from '../context/artifact.ts';
import { isCompared } from '../context/compared.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { parameterEvaluator } from '../measuring/evaluate-parameters.ts';
import { planPeers } from '../planning/peer-stage.ts';
import { shippedForm } from '../shipping/shipped-form.ts';
import type { TeacherAnswers } from '../teaching/lessons.ts';
import { PEER_TRAINING, peerBatch, peerSteps } from '../training/peer-training.ts';
import type { LinearPeers, TrainedPeer } from '../training/trained-peer.ts';
import { DATA } from './data.ts';
import { LESSONS } from './label.ts';
import { stage } from './stage.ts';

/** A peer's name in results, tables and folders. */
const PEER_NAMES = { labels: 'linear-labels', teacher: 'linear-answers' } as const;

export const PEERS = artifact<LinearPeers>('peers');

/**
 * Trains the linear peers: the cheapest model of the data, once from the labels alone and once from the answers that the
 * student learns from, too. A student that is no better than the second is not worth its trouble. Without baselines only
 * the one is trained that helps to teach.
 */
export const peerStage = stage({
  name: 'peer',
  about: 'linear models learn the same, to compare with',
  needs: { data: DATA, lessons: LESSONS },
  makes: PEERS,
  applies: (recipe, options) => isCompared(options) || assists(recipe),
  title: (_, { data }) => `Train ${data.peer.title}, to compare with`,
  async run(run, { data, lessons }) {
    const compared = isCompared(run.options);
    const peers: TrainedPeer[] = [];
    for (const from of compared ? (['labels', 'teacher'] as const) : (['teacher'] as const))
      peers.push(await trainPeer(run, data, lessons.answers, from));
    const reached = peers.map(
      ({ taughtBy, validation }) =>
        `${percent(validation.accuracy as number)} from the ${taughtBy === 'labels' ? 'labels alone' : "teacher's answers"}`,
    );
    const taught = assists(run.recipe) ? peers.find(({ taughtBy }) => taughtBy === 'teacher') : undefined;
    return {
      value: { compared: compared ? peers : [], assistant: taught && shippedForm(taught) },
      summary: `${reached.join(', ')} on the validation split`,
    };
  },
  plan: (context) => planPeers(context, isCompared(context.options)),
});

/** Whether a linear model helps to teach the student. */
function assists({ objective }: Recipe): boolean {
  return weighedOptions(objective, 'kd').some(({ assistant }) => assistant > 0);
}

async function trainPeer(
  run: RunContext,
  data: TaskData,
  answers: TeacherAnswers,
  taughtBy: TrainedPeer['taughtBy'],
): Promise<TrainedPeer> {
  const { engine, recipe } = run;
  const { dataset, peer } = data;
  const classes = dataset.labels.length;
  const student = peer.build();
  const { batches, variants } =
    taughtBy === 'labels' ? peer.training('labelled') : peer.training('train', only(answers.spaces, LOGITS));
  const term = taughtBy === 'labels' ? labelsTerm({ weight: 1 }) : kdTerm({ weight: 1, temperature: 1 });
  const evaluator = parameterEvaluator({
    engine,
    student,
    split: dataset.splits.validation,
    batchSize: peerBatch(dataset.splits.validation.size),
    outputs: [{ output: 'logits', metrics: classMetrics({ classes }) }],
  });
  const name = PEER_NAMES[taughtBy];
  const { learningRate, weightDecay, warmup, decay } = PEER_TRAINING;
  const totalSteps = peerSteps(batches.batchesPerEpoch);
  try {
    const { parameters, best } = await trainStudent({
      engine,
      student,
      variants,
      terms: [term],
      seed: recipe.seed,
      optimizer: adamw({ weightDecay }),
      schedule: { peak: learningRate, warmup, decay, totalSteps },
      batches,
      evaluate: evaluator.evaluate,
      selection: { metric: accuracy() },
      checkpoints: {
        folder: runCheckpoints(run, name),
        everySeconds: recipe.training.checkpointEvery,
      },
      signal: run.options.signal,
      onProgress: (done, total, note) =>
        run.emit({ type: 'progress', stage: 'peer', task: name, done, total, unit: 'steps', note }),
      onWarning: (message) => run.warn(message),
    });
    return {
      name,
      title: `${peer.title}, from the ${taughtBy === 'labels' ? 'labels alone' : "teacher's answers"}`,
      taughtBy,
      student: withParameters(student, parameters),
      validation: best.evaluation,
    };
  } finally {
    await evaluator.close();
  }
}

function only<T>(all: ReadonlyMap<string, T>, name: string): Map<string, T> {
  return new Map([...all].filter(([one]) => one === name));
}

/** A run's losses with an assistant that they may ask. */
export function withAssistant(context: ObjectiveContext, assistant: Graph | undefined): ObjectiveContext {
  const { classes, models } = context;
  return {
    classes,
    models,
    // Read when a loss asks for it: teachers are large.
    get teacherGraph() {
      return context.teacherGraph;
    },
    assistant,
  };
}
