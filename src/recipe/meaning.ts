import { allObjectives } from '../objectives/index.ts';
import type { ObjectiveKind } from '../objectives/objective.ts';
import { FEATURE_TITLES } from '../students/build-student.ts';
import { BACKBONES, GIVEN_STUDENTS } from '../students/index.ts';
import type { FeatureKind } from '../targets/features.ts';
import { findTarget } from '../targets/index.ts';
import { type InnerKnowledge, isMeaningless, UNTOLD } from '../targets/inner/inner-knowledge.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';
import { findTask } from '../tasks/index.ts';
import { isSection } from './outputs.ts';
import { inputsOf, type StatedParts } from './parts.ts';

/** Losses of one kind of answers, by what they are about; those that are not here are about layers, or about anything. */
export const LOSSES_OF_ANSWERS: Readonly<Record<string, readonly string[]>> = {
  kd: ['class'],
  labels: ['class'],
  dkd: ['class'],
  dist: ['class'],
  mlkd: ['class'],
  bce: ['classes'],
  bceKd: ['classes'],
  tokenLabels: ['token-classes', 'frame-classes', 'next-tokens'],
  tokenKd: ['token-classes', 'frame-classes'],
  tokenDivergence: ['token-classes', 'frame-classes', 'next-tokens'],
  nextTokenKd: ['next-tokens'],
  uld: ['next-tokens'],
  alignedLikelihoods: ['next-tokens'],
  mse: ['number', 'embedding', 'pairs'],
  huber: ['number', 'embedding', 'pairs'],
  cosine: ['embedding', 'pairs'],
  cosineKd: ['embedding', 'pairs'],
  centreFocal: ['boxes'],
  centreFocalKd: ['boxes'],
  centreSizes: ['boxes'],
  centreSizesKd: ['boxes'],
};

type Asked = 'score' | 'uncertainty' | 'distance' | 'confidence' | 'boundary' | 'tasks';

/** Losses that ask something of an output's answers besides comparing them: which of `InnerKnowledge`. */
export const LOSSES_THAT_ASK: Readonly<Record<string, Asked>> = {
  attribution: 'score',
  boundary: 'boundary',
};

export interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

interface Wanted extends Pick<StatedParts, 'inputs' | 'task'> {
  readonly outputs?: StatedParts['outputs'];
  readonly student: { readonly kind: string };
  readonly objective: unknown;
  readonly weighting: { readonly kind: string };
  readonly continual?: unknown;
  readonly data: StatedParts['data'] & {
    readonly mixup?: unknown;
    readonly adversarial?: unknown;
  };
  readonly training: { readonly dynamics: unknown; readonly curriculum: { readonly kind: string } };
  readonly knowledge: { readonly graph: unknown; readonly layers?: unknown };
}

/** An output as its name, its target and whether a column says what is true of it. */
interface Output {
  readonly name: string;
  readonly target: string;
  readonly known: boolean;
  /** Beside target and field. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a recipe asks for that has no meaning for its kind of answers, each with its key and the reason. */
export function meaningProblems(recipe: Wanted): Problem[] {
  if (!recipe.outputs) return [];
  const outputs = Object.entries(recipe.outputs).map(
    ([name, { target, field, ...options }]): Output => ({
      name,
      target,
      known: field !== undefined,
      options,
    }),
  );
  const [main] = outputs;
  if (!main) return [];
  return [
    ...featureProblems(recipe.student, outputs),
    ...tokenizerProblems(recipe.inputs),
    ...lossProblems(recipe.objective, outputs, main),
    ...SCHEDULES.flatMap((schedule) => answersTo(schedule, recipe, outputs, main)),
    ...curriculumProblems(recipe, main),
    ...addedProblems(recipe, outputs),
    ...continualProblems(recipe, outputs, main),
  ];
}

/** What a kind of answers says of itself. */
export function innerOf(target: string): InnerKnowledge {
  return findTarget(target)?.inner ?? UNTOLD;
}

/** Made anew each time: plugins add to them. */
function students(): readonly { readonly kind: string; readonly features?: readonly FeatureKind[] }[] {
  return [...BACKBONES, ...GIVEN_STUDENTS];
}

function featuresOf(student: string): readonly FeatureKind[] | undefined {
  return students().find(({ kind }) => kind === student)?.features;
}

/** Whether a kind of student has features for the answers of a task, as far as it says. */
export function answersTask(student: string, task: string): boolean {
  const features = featuresOf(student);
  const outputs = Object.values(findTask(task)?.outputs ?? {});
  return outputs.every((target) => features?.includes(findTarget(target)?.features ?? 'pooled') ?? true);
}

/** Outputs that a student has no features for: those that see what comes next cannot be asked for it. */
function featureProblems({ kind }: Wanted['student'], outputs: readonly Output[]): Problem[] {
  const features = featuresOf(kind);
  if (!features) return [];
  const able = (wanted: FeatureKind) =>
    students()
      .flatMap((one) => (one.features?.includes(wanted) ? [one.kind] : []))
      .join(', ');
  return outputs.flatMap(({ name, target: targetKind, options }): Problem[] => {
    const target = findTarget(targetKind);
    if (target === undefined) return [];
    if (!features.includes(target.features)) {
      const message = `the output '${name}' answers for ${FEATURE_TITLES[target.features]}, which ${kind} has no features of; students that have: ${able(target.features)}`;
      return [{ path: ['student', 'kind'], message }];
    }
    const also = target.asksAlso?.(options);
    if (!also || features.includes(also.features)) return [];
    const message = `it is made of ${FEATURE_TITLES[also.features]}, which ${kind} has no features of: leave the key out, or take one of the students that have: ${able(also.features)}`;
    return [{ path: ['outputs', name, also.option], message }];
  });
}

/** Where texts are one of several inputs, teacher and student read them by one tokenizer. */
function tokenizerProblems(inputs: Wanted['inputs']): Problem[] {
  const all = Object.entries(inputs ?? {});
  if (all.every(([, { modality }]) => modality === 'text')) return [];
  return all.flatMap(([name, input]) =>
    (input as { tokenizer?: unknown }).tokenizer === undefined
      ? []
      : [
          {
            path: ['inputs', name, 'tokenizer'],
            message: "texts beside other inputs are read by the teacher's tokenizer: leave the key out",
          },
        ],
  );
}

function lossProblems(objective: unknown, outputs: readonly Output[], main: Output): Problem[] {
  const targets = new Map(outputs.map(({ name, target }) => [name, target]));
  // Each side of a pair is a vector of its own.
  if ([...targets.values()].includes('pairs'))
    for (const side of [TEXT_EMBEDS, IMAGE_EMBEDS]) targets.set(side, 'embedding');
  return termsOf(objective).flatMap(({ kind, output: stated, outputs: compared, path }): Problem[] => {
    if (compared) return unknownOutputs(compared, targets, path);
    const output = stated ?? main.name;
    const target = targets.get(output);
    if (target === undefined) {
      const message = `there is no output '${output}': ${[...targets.keys()].join(', ')}`;
      return [{ path: [...path, 'output'], message }];
    }
    if (stated === undefined && target === 'pairs' && comparesLayers(kind)) {
      const message = `${kind} looks into one tower, and a pair has two: name output: ${TEXT_EMBEDS} or ${IMAGE_EMBEDS}`;
      return [{ path, message }];
    }
    const asked = LOSSES_THAT_ASK[kind];
    const meaning = asked && innerOf(target)[asked];
    if (meaning && isMeaningless(meaning)) return [{ path, message: refusal(kind, output, meaning.because) }];
    const wanted = LOSSES_OF_ANSWERS[kind];
    if (!wanted || wanted.includes(target) || isOwn(kind, target)) return [];
    const message = `${kind} has no meaning for the output '${output}' (target ${target}); it is for ${wanted.join(', ')}`;
    return [{ path, message }];
  });
}

/** Outputs that a loss about several of them names, and that there are not. */
function unknownOutputs(
  names: readonly string[],
  targets: ReadonlyMap<string, string>,
  path: (string | number)[],
): Problem[] {
  return names.flatMap((name, i) =>
    targets.has(name)
      ? []
      : [
          {
            path: [...path, 'outputs', i],
            message: `there is no output '${name}': ${[...targets.keys()].join(', ')}`,
          },
        ],
  );
}

/** Whether a loss compares layers. */
function comparesLayers(kind: string): boolean {
  const { level = 'task' } = allObjectives().find((one) => one.kind === kind) ?? {};
  return level !== 'task';
}

/** Keys of a recipe that ask something of outputs, beside its losses. */
export const SCHEDULES: readonly {
  readonly key: string;
  /** For people: what has no meaning. */
  readonly what: string;
  readonly asked: readonly Asked[];
  /** Of every output, or of the main one. */
  readonly of: 'main' | 'all';
  readonly isAsked: (recipe: Wanted) => boolean;
}[] = [
  {
    key: 'training.dynamics',
    what: 'following samples (confidence, correctness)',
    asked: ['confidence'],
    of: 'main',
    isAsked: ({ training }) => training.dynamics !== false,
  },
  {
    key: 'training.curriculum',
    what: 'a curriculum',
    asked: ['confidence'],
    of: 'main',
    isAsked: ({ training }) => training.curriculum.kind !== 'none',
  },
  {
    key: 'data.mixup',
    what: 'MixUp at the decision boundary',
    asked: ['boundary'],
    of: 'main',
    isAsked: ({ data }) => data.mixup !== undefined,
  },
  {
    key: 'data.adversarial',
    what: 'pushing samples over the decision boundary',
    asked: ['boundary'],
    of: 'main',
    isAsked: ({ data }) => data.adversarial !== undefined,
  },
  {
    key: 'continual',
    what: 'a sequence of tasks of classes',
    asked: ['tasks'],
    of: 'main',
    isAsked: ({ continual }) => continual !== undefined,
  },
  {
    key: 'weighting.kind',
    what: 'weights by the uncertainty of the answers (dynamic)',
    asked: ['uncertainty', 'distance'],
    of: 'all',
    isAsked: ({ weighting }) => weighting.kind === 'dynamic',
  },
  {
    key: 'knowledge.graph',
    what: 'the knowledge graph, which asks what an answer rests on',
    asked: ['score'],
    of: 'main',
    isAsked: ({ knowledge }) => knowledge.graph !== false || knowledge.layers === 'graph',
  },
];

function answersTo(
  { key, what, asked, of, isAsked }: (typeof SCHEDULES)[number],
  recipe: Wanted,
  outputs: readonly Output[],
  main: Output,
): Problem[] {
  if (!isAsked(recipe)) return [];
  return (of === 'main' ? [main] : outputs).flatMap(({ name, target }) => {
    const inner = innerOf(target);
    const reason = asked.map((one) => inner[one]).find(isMeaningless);
    return reason ? [{ path: key.split('.'), message: refusal(what, name, reason.because) }] : [];
  });
}

/** For people: whether a loss may be about a kind of answers. */
export function lossFits(loss: Pick<ObjectiveKind, 'kind' | 'options'>, target: string): string {
  const { kind, options } = loss;
  if ('outputs' in options.shape)
    return target === 'pairs' ? 'yes' : target === 'embedding' ? 'two of them' : '';
  const asked = LOSSES_THAT_ASK[kind];
  if (target === 'pairs' && (comparesLayers(kind) || asked === 'score')) return 'each side';
  if (asked) return isMeaningless(innerOf(target)[asked]) ? '' : 'yes';
  const wanted = LOSSES_OF_ANSWERS[kind];
  if (!wanted || wanted.includes(target) || isOwn(kind, target)) return 'yes';
  return '';
}

/** Easy samples first, by a teacher that does not say how sure it is: labels have to. */
function curriculumProblems({ training }: Wanted, { name, target, known }: Output): Problem[] {
  const inner = innerOf(target);
  const isByTeacher = training.curriculum.kind === 'teacher-confidence';
  if (!isByTeacher || known || inner.sureOfItself || isMeaningless(inner.confidence)) return [];
  const because = 'the teacher does not say how sure it is, and no field says how wrong it is';
  return [
    { path: ['training', 'curriculum'], message: refusal('a curriculum by the teacher', name, because) },
  ];
}

/** Samples that are made have no labels, and of one input alone. */
function addedProblems(recipe: Wanted, outputs: readonly Output[]): Problem[] {
  const { mixup, adversarial } = recipe.data;
  const inputs = inputsOf(recipe);
  return (['mixup', 'adversarial'] as const).flatMap((key): Problem[] => {
    if ((key === 'mixup' ? mixup : adversarial) === undefined) return [];
    const path = ['data', key];
    const other = outputs.slice(1).find(({ target }) => isMeaningless(innerOf(target).boundary));
    if (other) {
      const message = `samples that are made have no labels, which the output '${other.name}' (target ${other.target}) needs`;
      return [{ path, message }];
    }
    if (inputs.length === 1) return [];
    return [{ path, message: 'samples are made of one input, not of several' }];
  });
}

function continualProblems(
  { continual }: Wanted,
  outputs: readonly Output[],
  { name, target }: Output,
): Problem[] {
  if (continual === undefined || target !== 'class') return [];
  if (outputs.length > 1)
    return [{ path: ['continual'], message: 'a sequence of tasks is learnt by one output, not by several' }];
  if (name === 'logits') return [];
  const message = `a sequence of tasks is learnt by the output 'logits': rename '${name}' (outputs)`;
  return [{ path: ['continual'], message }];
}

function refusal(what: string, output: string, because: string): string {
  return `${what} has no meaning for the output '${output}': ${because}`;
}

/** Whether a loss is one of a target's own. */
function isOwn(kind: string, target: string): boolean {
  const { labels = {}, teacher = {} } = findTarget(target)?.objective ?? {};
  return kind in labels || kind in teacher;
}

interface Term {
  readonly kind: string;
  readonly output?: string | undefined;
  /** Of losses that are about several outputs. */
  readonly outputs?: readonly string[] | undefined;
  readonly path: (string | number)[];
}

/** The terms that are weighed, of a map or of a list. */
export function termsOf(objective: unknown): Term[] {
  const terms: [string, unknown, (string | number)[]][] = Array.isArray(objective)
    ? objective.map((term, i) => [String((term as { kind: unknown }).kind), term, ['objective', i]])
    : Object.entries(objective as object).map(([kind, term]) => [kind, term, ['objective', kind]]);
  return terms.flatMap(([kind, term, path]) => {
    const { weight = 0, ...named } = (isSection(term) ? term : {}) as {
      readonly weight?: number;
      readonly output?: string;
      readonly outputs?: readonly string[];
    };
    return weight > 0 ? [{ kind, output: named.output, outputs: named.outputs, path }] : [];
  });
}
