import type { RunResult, StageSeconds } from '../../report/result.ts';
import type { ToldStage } from '../../report/told-stage.ts';
import { VERSION } from '../../version.ts';
import { describeMachine } from '../context/machine.ts';
import type { RunContext } from '../context/run-context.ts';
import type { RunFolder } from '../folder/run-folder.ts';

/** What a result says of its run whatever was measured: how to repeat it, where, how long it took. */
export function runFacts(
  { recipe, folder, options, engine }: RunContext,
  command: 'distill' | 'train' | 'continual',
  stages: readonly ToldStage[],
): Pick<RunResult, 'seconds' | 'seed' | 'command' | 'engine' | 'machine' | 'version'> {
  return {
    seconds: stageSeconds(folder, stages),
    seed: recipe.seed,
    command: options.command ?? `limbeck ${command} ${recipe.name}.yaml`,
    engine: engine.title,
    machine: describeMachine(),
    version: VERSION,
  };
}

/** Wall seconds of each stage, over all parts of a run; 0 for those that it did not have. */
function stageSeconds(folder: RunFolder, stages: readonly ToldStage[]): StageSeconds {
  const seconds = Object.fromEntries(stages.map(({ name }) => [name, folder.seconds[name] ?? 0]));
  const total = Object.values(seconds).reduce((sum, part) => sum + part, 0);
  return { ...seconds, total };
}
