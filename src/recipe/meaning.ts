import { findTarget } from '../targets/index.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../targets/pair-embeds.ts';
import { isSection } from './outputs.ts';

/** Losses that compare classes of which a sample has one. */
const OF_ONE_CLASS = new Set(['kd', 'labels', 'dkd', 'dist', 'mlkd', 'attribution', 'boundary']);
/** Losses of other kinds of answers, by what they are about; those that are not here are about layers, or about anything. */
const OF_OTHERS: Readonly<Record<string, readonly string[]>> = {
  bce: ['classes'],
  bceKd: ['classes'],
  tokenLabels: ['token-classes', 'frame-classes'],
  tokenKd: ['token-classes', 'frame-classes'],
  mse: ['number', 'embedding', 'pairs'],
  huber: ['number', 'embedding', 'pairs'],
  cosine: ['embedding', 'pairs'],
  cosineKd: ['embedding', 'pairs'],
  centreFocal: ['boxes'],
  centreFocalKd: ['boxes'],
  centreSizes: ['boxes'],
  centreSizesKd: ['boxes'],
};

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

interface Wanted {
  readonly outputs?: Readonly<Record<string, { readonly target: string }>> | undefined;
  readonly objective: unknown;
  readonly weighting: { readonly kind: string };
  readonly continual?: unknown;
  readonly data: {
    readonly mixup?: unknown;
    readonly adversarial?: unknown;
    readonly augmentation?: unknown;
  };
  readonly training: { readonly dynamics: unknown; readonly curriculum: { readonly kind: string } };
  readonly knowledge: { readonly graph: unknown };
}

/** What a recipe asks for that has no meaning for its kind of answers, each with its key. */
export function meaningProblems(recipe: Wanted): Problem[] {
  const { outputs, objective } = recipe;
  if (!outputs) return [];
  const targets = new Map(Object.entries(outputs).map(([name, { target }]) => [name, target]));
  const [main] = [...targets.keys()];
  // Each side of a pair is a vector of its own.
  if ([...targets.values()].includes('pairs'))
    for (const side of [TEXT_EMBEDS, IMAGE_EMBEDS]) targets.set(side, 'embedding');
  const wrong = termsOf(objective).flatMap(({ kind, output = main, path }): Problem[] => {
    const target = targets.get(output ?? '');
    if (target === undefined)
      return [
        {
          path: [...path, 'output'],
          message: `there is no output '${output}': ${[...targets.keys()].join(', ')}`,
        },
      ];
    const wanted = OF_ONE_CLASS.has(kind) ? ['class'] : OF_OTHERS[kind];
    if (!wanted || wanted.includes(target) || isOwn(kind, target)) return [];
    return [
      {
        path,
        message: `${kind} has no meaning for the output '${output}' (target ${target}); it is for ${wanted.join(', ')}`,
      },
    ];
  });
  const mainTarget = targets.get(main ?? '');
  if (mainTarget === 'class' && targets.size === 1) return wrong;
  const { data, training, continual, weighting, knowledge } = recipe;
  const asked: [boolean, (string | number)[], string][] = [
    [training.dynamics !== false, ['training', 'dynamics'], 'following samples (confidence, correctness)'],
    [training.curriculum.kind !== 'none', ['training', 'curriculum'], 'a curriculum'],
    [data.mixup !== undefined, ['data', 'mixup'], 'MixUp at the decision boundary'],
    [data.adversarial !== undefined, ['data', 'adversarial'], 'pushing samples over the decision boundary'],
    [continual !== undefined, ['continual'], 'a sequence of tasks of classes'],
    [weighting.kind === 'dynamic', ['weighting', 'kind'], 'weights by the entropy of the answers'],
    [
      knowledge.graph === true,
      ['knowledge', 'graph'],
      'the knowledge graph, which asks what the class rests on',
    ],
  ];
  const what = targets.size > 1 ? 'several outputs' : `the target ${mainTarget}`;
  return [
    ...wrong,
    ...asked.flatMap(([isAsked, path, meaning]) =>
      isAsked
        ? [{ path, message: `${meaning} has a meaning for one class a sample only, not for ${what}` }]
        : [],
    ),
  ];
}

/** Whether a loss is one of a target's own. */
function isOwn(kind: string, target: string): boolean {
  const { labels = {}, teacher = {} } = findTarget(target)?.objective ?? {};
  return kind in labels || kind in teacher;
}

interface Term {
  readonly kind: string;
  readonly output?: string | undefined;
  readonly path: (string | number)[];
}

/** The terms that are weighed, of a map or of a list. */
function termsOf(objective: unknown): Term[] {
  const terms: [string, unknown, (string | number)[]][] = Array.isArray(objective)
    ? objective.map((term, i) => [String((term as { kind: unknown }).kind), term, ['objective', i]])
    : Object.entries(objective as object).map(([kind, term]) => [kind, term, ['objective', kind]]);
  return terms.flatMap(([kind, term, path]) => {
    const { weight = 0, output } = (isSection(term) ? term : {}) as { weight?: number; output?: string };
    // Losses about several outputs name them themselves.
    return weight > 0 && !(isSection(term) && 'outputs' in term) ? [{ kind, output, path }] : [];
  });
}
