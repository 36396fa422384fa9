import { Artifacts, type ArtifactsOf } from '../context/artifact.ts';
import { type RunContext, runStage } from '../context/run-context.ts';
import { openTask } from '../tasks/index.ts';
import { TASK, TOLD_STAGES } from './given.ts';
import { toldStages } from './index.ts';
import type { Stage } from './stage.ts';
import { stagesOf } from './stages-of.ts';

/**
 * Runs a command's stages, one after another, each with what those before it made, and returns what is wanted of it all.
 * What they hold is given back at the end, however it ends.
 */
export async function runStages<Wanted extends object>(
  run: RunContext,
  list: readonly Stage[],
  wanted: ArtifactsOf<Wanted>,
): Promise<Wanted> {
  const stages = stagesOf(list, run.recipe, run.options);
  const made = new Artifacts();
  made.set(TASK, await openTask(run));
  made.set(TOLD_STAGES, toldStages(list, run));
  const releases: (() => void | Promise<void>)[] = [];
  try {
    for (const stage of stages) {
      const needs = made.pick(stage.needs);
      // What was to make something made nothing.
      if (!needs) continue;
      const value = await runStage(run, stage.name, stage.title(run, needs), () => stage.run(run, needs));
      if (value !== undefined) releases.unshift(() => stage.release?.(value));
      if (stage.makes) made.set(stage.makes, value);
    }
    const results = made.pick(wanted);
    if (!results) throw new Error(`no stage made ${Object.keys(wanted).join(', ')}`);
    return results;
  } finally {
    for (const release of releases) await release();
  }
}
