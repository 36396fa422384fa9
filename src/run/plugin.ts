import type { GradientRule } from '../autodiff/rule.ts';
import { registerGradientRules } from '../autodiff/rules/registry.ts';
import { TRANSFORMS } from '../compress/transforms/index.ts';
import type { Transform } from '../compress/transforms/transform.ts';
import { MODALITIES } from '../data/modalities/index.ts';
import type { Modality } from '../data/modalities/modality.ts';
import { SOURCES, type SourceKind } from '../data/sources/index.ts';
import { LimbeckError } from '../errors.ts';
import { registerObjective } from '../objectives/index.ts';
import type { ObjectiveKind } from '../objectives/objective.ts';
import type { InferenceRule } from '../onnx/shape-inference/rule.ts';
import { registerInferenceRules } from '../onnx/shape-inference/rules.ts';
import { register } from '../registry.ts';
import type { Backbone } from '../students/backbone.ts';
import { BACKBONES } from '../students/index.ts';
import { type AddedMetric, registerMetric } from '../targets/added-metrics.ts';
import { type AnyTarget, registerTarget } from '../targets/index.ts';
import { TASKS, type TaskKind } from '../tasks/index.ts';
import { TEACHERS, type TeacherKind } from '../teachers/index.ts';
import type { OptimizerKind } from '../train/optimizer.ts';
import { OPTIMIZERS } from '../train/optimizers.ts';
import { registerStage } from './stages/register.ts';
import type { Stage } from './stages/stage.ts';

/** An operator's gradient, and its shapes where they are not known yet. */
export interface OperatorRule {
  readonly gradient: GradientRule;
  readonly shapes?: InferenceRule;
}

/**
 * What somebody adds to Limbeck from outside: components that recipes can name from then on. docs/extending.md shows one of
 * each kind.
 */
export interface Plugin {
  /** For errors. */
  readonly name: string;
  readonly sources?: readonly SourceKind[];
  readonly modalities?: readonly Modality[];
  readonly targets?: readonly AnyTarget[];
  /** Measured beside a target's own. */
  readonly metrics?: readonly AddedMetric[];
  /** What a recipe's `task` can be. */
  readonly tasks?: readonly TaskKind[];
  readonly teachers?: readonly TeacherKind[];
  readonly objectives?: readonly ObjectiveKind[];
  readonly students?: readonly Backbone[];
  readonly optimizers?: readonly OptimizerKind[];
  /** What recipes can list under `compress`. */
  readonly transforms?: readonly Transform[];
  /** Stages of a run, each with the name of the one that it comes after. */
  readonly stages?: readonly { readonly stage: Stage; readonly after: string }[];
  /** By operator: `Mish`, `com.microsoft::FusedMatMul`. */
  readonly operators?: Readonly<Record<string, OperatorRule>>;
}

/** Lets the entries be checked where they are written: `export default definePlugin({ ... })`. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}

/** How each part of a plugin is taken in. */
const PARTS: {
  readonly [Part in Exclude<keyof Plugin, 'name'>]-?: (given: NonNullable<Plugin[Part]>) => void;
} = {
  sources: (given) => {
    for (const entry of given) register(SOURCES, entry);
  },
  modalities: (given) => {
    for (const entry of given) register(MODALITIES, entry);
  },
  targets: (given) => {
    for (const entry of given) registerTarget(entry);
  },
  metrics: (given) => {
    for (const entry of given) registerMetric(entry);
  },
  tasks: (given) => {
    for (const entry of given) register(TASKS, entry);
  },
  teachers: (given) => {
    for (const entry of given) register(TEACHERS, entry);
  },
  objectives: (given) => {
    for (const entry of given) registerObjective(entry);
  },
  students: (given) => {
    for (const entry of given) register(BACKBONES, entry);
  },
  optimizers: (given) => {
    for (const entry of given) register(OPTIMIZERS, entry);
  },
  transforms: (given) => {
    for (const entry of given) register(TRANSFORMS, entry);
  },
  stages: (given) => {
    for (const { stage, after } of given) registerStage(stage, { after });
  },
  operators: (given) => {
    for (const [operator, { gradient, shapes }] of Object.entries(given)) {
      registerGradientRules({ [operator]: gradient });
      if (shapes) registerInferenceRules({ [operator]: shapes });
    }
  },
};

const used = new Set<Plugin>();

/**
 * Makes what a plugin brings known to this process: recipes that are read from then on can name it. Using the same plugin
 * again changes nothing.
 *
 * @throws LimbeckError `plugin.invalid` for what is no plugin, `plugin.duplicate` and `plugin.kind` for names that are taken
 *   or that a recipe cannot hold
 * @example
 * usePlugin(definePlugin({ name: 'tides', sources: [tideTable], students: [lagged] }));
 */
export function usePlugin(plugin: Plugin): void {
  if (used.has(plugin)) return;
  requirePlugin(plugin);
  for (const [part, take] of Object.entries(PARTS)) {
    const given = plugin[part as keyof typeof PARTS];
    if (given !== undefined) (take as (given: unknown) => void)(given);
  }
  used.add(plugin);
}

function requirePlugin(plugin: Plugin): void {
  const known = ['name', ...Object.keys(PARTS)];
  const isObject = typeof plugin === 'object' && plugin !== null;
  const unknown = isObject ? Object.keys(plugin).filter((key) => !known.includes(key)) : [];
  if (isObject && typeof plugin.name === 'string' && unknown.length === 0) return;
  throw new LimbeckError(
    'plugin.invalid',
    unknown.length > 0 ? `a plugin has no part '${unknown[0]}'` : 'this is no plugin',
    {
      where: isObject && typeof plugin.name === 'string' ? `the plugin ${plugin.name}` : 'the plugin',
      remedy: `Export definePlugin({ name, ... }) as default; its parts are ${known.slice(1).join(', ')}.`,
    },
  );
}
