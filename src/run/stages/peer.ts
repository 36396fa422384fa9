import { formatMetric } from '../../metrics/format-metric.ts';
import { weighedOptions } from '../../objectives/index.ts';
import { type ObjectiveContext, withContext } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { adamw } from '../../train/adamw.ts';
import { withParameters } from '../../train/step-graph.ts';
import { trainStudent } from '../../train/training-loop.ts';
import { formulateFor } from '../calibrating/formulate.ts';
import { artifact } from '../context/artifact.ts';
import { isCompared } from '../context/compared.ts';
import { runCheckpoints } from '../context/run-checkpoints.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { mainMetric, metricsOf, selectedMetric } from '../heads/head-metrics.ts';
import { labelTerms, teacherTerms } from '../heads/label-terms.ts';
import { modelSelection } from '../heads/model-selection.ts';
import { hasLabels } from '../heads/recipe-heads.ts';
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
  applies: (recipe, options) => isCompared(recipe, options) || assists(recipe),
  title: (_, { data }) => `Train ${data.peer.title}, to compare with`,
  async run(run, { data, lessons }) {
    const compared = isCompared(run.recipe, run.options);
    if (!data.peer.fits) {
      return {
        value: { compared: [], assistant: undefined },
        summary: 'none: a linear model cannot answer so',
      };
    }
    const peers: TrainedPeer[] = [];
    const sources =
      compared && hasLabels(run.recipe) ? (['labels', 'teacher'] as const) : (['teacher'] as const);
    for (const from of sources) peers.push(await trainPeer(run, data, lessons.answers, from));
    const reached = peers.map(
      ({ taughtBy, validation }) =>
        `${formatMetric(mainMetric(data.heads), validation)} from the ${taughtBy === 'labels' ? 'labels alone' : "teacher's answers"}`,
    );
    const taught = assists(run.recipe) ? peers.find(({ taughtBy }) => taughtBy === 'teacher') : undefined;
    return {
      value: { compared: compared ? peers : [], assistant: taught && shippedForm(taught) },
      summary: `${reached.join(', ')} on the validation split`,
    };
  },
  plan: async (context) =>
    context.data.peer.fits
      ? planPeers(context, isCompared(context.recipe, context.options) && hasLabels(context.recipe))
      : undefined,
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
  const student = peer.build();
  const { batches, variants } =
    taughtBy === 'labels'
      ? peer.training('labelled')
      : peer.training('train', only(answers.spaces, data.heads));
  const terms = taughtBy === 'labels' ? labelTerms(data) : teacherTerms(data);
  const evaluator = parameterEvaluator({
    engine,
    student,
    split: dataset.splits.validation,
    batchSize: peerBatch(dataset.splits.validation.size),
    outputs: data.heads,
  });
  const name = PEER_NAMES[taughtBy];
  const { learningRate, weightDecay, warmup, decay } = PEER_TRAINING;
  const totalSteps = peerSteps(batches.batchesPerEpoch);
  try {
    const { parameters, best } = await trainStudent({
      engine,
      student,
      variants,
      terms,
      seed: recipe.seed,
      optimizer: adamw({ weightDecay }),
      schedule: { peak: learningRate, warmup, decay, totalSteps },
      ...formulateFor(run, totalSteps),
      batches,
      evaluate: evaluator.evaluate,
      selection: modelSelection(metricsOf(data.heads), selectedMetric(data.heads), false),
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

function only<T>(all: ReadonlyMap<string, T>, heads: TaskData['heads']): Map<string, T> {
  return new Map([...all].filter(([tap]) => heads.some(({ output }) => output === tap)));
}

/** A run's losses with an assistant that they may ask. */
export function withAssistant(context: ObjectiveContext, assistant: Graph | undefined): ObjectiveContext {
  return assistant ? withContext(context, { assistant }) : context;
}
