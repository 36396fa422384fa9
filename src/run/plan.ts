import { datasetFolder } from '../data/prepared/prepared-folder.ts';
import { createNodeEngine } from '../engine/node.ts';
import { KnowledgeStore } from '../knowledge/store.ts';
import { availableThreads, residentBytes } from '../platform/machine.ts';
import { resolve } from '../platform/paths.ts';
import type { Recipe } from '../recipe/schema.ts';
import { Artifacts } from './context/artifact.ts';
import { dataCacheFolder, interrupted, isStop, storeFolder } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import type { Task } from './context/task.ts';
import { requireRunFolder } from './folder/run-folder.ts';
import { type ReadyRuntime, requireRuntimes } from './gates/require-runtimes.ts';
import { ANSWER_COST, storePart } from './planning/answer-stages.ts';
import { assumedData } from './planning/assumed-data.ts';
import { bucketsToMeasure } from './planning/batch-counts.ts';
import { HOSTED_COST, PREPARATION, RUNTIME_COST } from './planning/costs.ts';
import { folderBytes } from './planning/folder-bytes.ts';
import { MemoryPeak } from './planning/memory-peak.ts';
import { type PlanningContext, withScratchFolder } from './planning/planning-context.ts';
import type { Plan, StagePlan } from './planning/stage-plan.ts';
import { timed } from './planning/timing.ts';
import { DISTILL, TRAIN } from './stages/index.ts';
import { stagesOf } from './stages/stages-of.ts';
import { openTask } from './tasks/index.ts';

/**
 * Says what a run will cost, before it runs: prepares the data (the run finds it prepared), times a few batches of
 * everything that a run does many times, and multiplies. A recipe without a teacher is planned for `train`.
 *
 * Seconds are wall time on this machine as busy as it is now; trainings are counted with all their epochs. Memory is
 * the resident set of the process while the stage's work was measured, plus what the stage reads into memory of the
 * data. Disk is what the stage adds. Nothing is written into the run's folder, and the store is only looked at; beside it lies how a long training computes its
 * convolutions, where that had to be measured (the run finds it).
 *
 * @throws LimbeckError of the data, the teacher and the engine; `run.interrupted` after `options.signal`.
 */
export async function plan(recipe: Recipe, options: RunOptions): Promise<Plan> {
  const checkInterrupted = () => {
    if (options.signal?.aborted) throw interrupted();
  };
  checkInterrupted();
  requireRunFolder(resolve(options.out));
  try {
    return await withScratchFolder(async (scratch) => {
      const store = await KnowledgeStore.open(storeFolder(recipe, options));
      if (recipe.teacher) store.requireWritable();
      const task = await openTask({ recipe, options });
      const told = tell(options);
      const { data, stage } = await told('data', 'Prepare the data', () => planData(recipe, options, task));
      const runtimes = await requireRuntimes(recipe, options);
      try {
        const context: PlanningContext = {
          recipe,
          options,
          engine: createNodeEngine({ provider: recipe.engine }),
          store,
          data,
          taught: recipe.teacher !== undefined,
          source: task.teacher,
          scratch,
          memory: new MemoryPeak(),
          told,
          checkInterrupted,
        };
        return await planStages(context, stage, runtimes);
      } finally {
        data.dataset.close();
        await store.close();
      }
    });
  } catch (error) {
    // Whatever noticed it first, the person asked for it.
    throw isStop(error, options.signal) ? interrupted() : error;
  }
}

async function planStages(
  context: PlanningContext,
  preparation: StagePlan,
  runtimes: readonly ReadyRuntime[],
): Promise<Plan> {
  const { recipe, options, taught } = context;
  const costs = new Artifacts();
  costs.set(PREPARATION, preparation);
  costs.set(RUNTIME_COST, runtimes);
  const stages: StagePlan[] = [];
  for (const stage of stagesOf(taught ? DISTILL : TRAIN, recipe, options)) {
    const row = await stage.plan(context, costs);
    if (row) stages.push(row);
  }
  const hosted = costs.find(HOSTED_COST);
  return {
    stages,
    store: hosted ? hosted.store : storePart(costs.find(ANSWER_COST)),
    measuredOn: measuredOn(context),
    ...(hosted && { price: hosted.price }),
  };
}

/** Prepares the data; the run that follows only opens it, so that is what is timed. */
async function planData(recipe: Recipe, options: RunOptions, task: Task) {
  const prepared = await timed(() => assumedData(task));
  const { reused } = prepared.value.dataset;
  const again = reused
    ? prepared
    : await timed(() => {
        prepared.value.dataset.close();
        return assumedData(task);
      });
  const data = again.value;
  const note = reused
    ? 'prepared earlier'
    : `prepared now, in ${prepared.seconds.toFixed(1)} s; the run finds it`;
  const folder = datasetFolder(dataCacheFolder(recipe, options), data.dataset.fingerprint);
  const stage: StagePlan = {
    stage: 'data',
    seconds: again.seconds,
    secondsAtMost: again.seconds,
    memoryBytes: residentBytes(),
    diskBytes: folderBytes(folder),
    note,
  };
  return { data, stage };
}

function measuredOn({ recipe, data, engine }: PlanningContext): string {
  const { asked, task } = data;
  const lengths = bucketsToMeasure(asked).flatMap((bucket) => asked.buckets[bucket]!.length ?? []);
  const cores = availableThreads();
  return (
    `a few batches of ${recipe.training.batchSize} ${task.unit}${lengths.length > 0 ? ` of ${lengths.join(', ')} tokens` : ''}, ` +
    `${engine.title}, ${cores} ${cores === 1 ? 'core' : 'cores'}`
  );
}

/** Tells when a measurement begins and ends, as a run tells of its stages. */
function tell({ onEvent }: RunOptions): PlanningContext['told'] {
  return async (stage, title, body) => {
    onEvent?.({ type: 'stage-start', stage, title });
    const { value, seconds } = await timed(body);
    onEvent?.({ type: 'stage-end', stage, seconds, summary: 'measured' });
    return value;
  };
}
