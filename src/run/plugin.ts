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

/** What an entry of each part must be able to do: what is missing would be met in the middle of a run. */
const NEEDED: Readonly<Record<keyof typeof PARTS, readonly string[]>> = {
  sources: ['kind', 'options', 'open()'],
  modalities: ['kind', 'options', 'open()'],
  targets: ['kind', 'options', 'truth()', 'attach()', 'metrics()', 'config()', 'objective'],
  metrics: ['target', 'make()'],
  tasks: ['kind', 'inputs', 'outputs'],
  teachers: ['kind', 'options', 'reads', 'open()'],
  objectives: ['kind', 'options', 'term()'],
  students: ['kind', 'options', 'accepts', 'build()'],
  optimizers: ['kind', 'options', 'create()'],
  stages: ['stage', 'after'],
  operators: ['gradient()'],
  transforms: ['kind', 'options'],
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
  if (isObject && typeof plugin.name === 'string' && unknown.length === 0) {
    for (const part of Object.keys(PARTS) as (keyof typeof PARTS)[]) requireEntries(plugin, part);
    return;
  }
  throw new LimbeckError(
    'plugin.invalid',
    unknown.length > 0 ? `a plugin has no part '${unknown[0]}'` : 'this is no plugin',
    {
      where: isObject && typeof plugin.name === 'string' ? `the plugin ${plugin.name}` : 'the plugin',
      remedy: `Export definePlugin({ name, ... }) as default; its parts are ${known.slice(1).join(', ')}.`,
    },
  );
}

/** Throws for a part that is no list, and for an entry that lacks what is asked of it. */
function requireEntries(plugin: Plugin, part: keyof typeof PARTS): void {
  const given: unknown = plugin[part];
  if (given === undefined) return;
  const refuse = (problem: string, where: string, remedy: string) =>
    new LimbeckError('plugin.invalid', problem, {
      where: `the plugin ${plugin.name}, ${where}`,
      remedy: `${remedy}; docs/extending.md shows one.`,
    });
  const isNamed = part === 'operators';
  if (typeof given !== 'object' || given === null || Array.isArray(given) === isNamed)
    throw refuse(
      `'${part}' is no ${isNamed ? 'section of names' : 'list'}`,
      part,
      `Give ${isNamed ? 'rules by operator' : 'a list of them'}`,
    );
  for (const [name, entry] of Object.entries(given as Record<string, unknown>)) {
    const own = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const missing = NEEDED[part].find((need) => !hasNeed(own, need));
    if (missing === undefined) continue;
    const called =
      typeof own.kind === 'string' ? `'${own.kind}'` : isNamed ? `'${name}'` : `number ${Number(name) + 1}`;
    throw refuse(
      `${called} of the plugin's ${part} has no ${missing}`,
      `${part}: ${called}`,
      `Add ${missing}`,
    );
  }
}

function hasNeed(entry: Readonly<Record<string, unknown>>, need: string): boolean {
  if (need.endsWith('()')) return typeof entry[need.slice(0, -2)] === 'function';
  // Recipes are read by the options of a kind.
  if (need === 'options')
    return typeof (entry.options as { shape?: unknown } | undefined)?.shape === 'object';
  return entry[need] !== undefined;
}
