import type { StageName } from '../../events.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Artifact, Artifacts, ArtifactsOf } from '../context/artifact.ts';
import type { RunContext } from '../context/run-context.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { StageEnd } from '../context/stage-end.ts';
import type { PlanningContext } from '../planning/planning-context.ts';
import type { StagePlan } from '../planning/stage-plan.ts';

/**
 * A part of a run: all that is to know of it. Events, seconds, the rows of `limbeck plan`, the keys of `result.json` and the
 * report's section on costs follow from the list of stages.
 *
 * A stage may be run again in the same folder after an interruption: it finds again in its own files what it had done.
 */
export interface Stage<Needs extends object = object, Value = unknown> {
  /** In events, in `result.json` and in the plan. Two forms of a stage in different commands have the same. */
  readonly name: StageName;
  /** What is done, for the report: `write and quantise the files`. */
  readonly about: string;
  /** What earlier stages made. A stage is left out where something is missing that is not optional. */
  readonly needs: ArtifactsOf<Needs>;
  readonly makes?: Artifact<Value>;
  /** Whether a run of the recipe has the stage; always when absent. */
  applies?(recipe: Recipe, options: RunOptions): boolean;
  /** Whether results and reports of runs that do not have it are silent about it; false when absent. */
  readonly isExtra?: boolean;
  /** What is told when it begins. */
  title(run: RunContext, needs: Needs): string;
  run(run: RunContext, needs: Needs): Promise<StageEnd<Value>>;
  /** Gives back at the end of the run what it holds: open files, sessions. */
  release?(value: Value): void | Promise<void>;
  /**
   * What it is going to cost, measured; undefined where that is part of another stage's row.
   *
   * @param costs what stages before it measured, to which it adds what later ones need
   */
  plan(context: PlanningContext, costs: Artifacts): Promise<StagePlan | undefined>;
}

/** Types a stage by what it needs and makes. */
export function stage<Needs extends object, Value>(definition: Stage<Needs, Value>): Stage<Needs, Value> {
  return definition;
}

/** A row of the plan for a stage that cannot be measured before a run. Memory is what the process holds by then. */
export function notMeasured(
  { memory }: Pick<PlanningContext, 'memory'>,
  name: StageName,
  note: string,
): StagePlan {
  return {
    stage: name,
    seconds: 0,
    secondsAtMost: 0,
    memoryBytes: memory.take(),
    diskBytes: 0,
    note: `not measured: ${note}`,
  };
}
