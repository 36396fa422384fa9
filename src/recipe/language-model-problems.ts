import { findTarget } from '../targets/index.ts';
import { isForOtherTokens } from '../targets/next-tokens.ts';
import { childOf } from './expectation.ts';
import { LOSSES_THAT_ASK, type Problem, termsOf } from './meaning.ts';
import { isSection, type OutputPart } from './outputs.ts';

interface Wanted {
  readonly inputs?: Readonly<Record<string, object>> | undefined;
  readonly outputs?: Readonly<Record<string, OutputPart>> | undefined;
  readonly objective: unknown;
  readonly weighting: { readonly kind: string };
  readonly training: { readonly dynamics: unknown; readonly curriculum: { readonly kind: string } };
  readonly teacher?: unknown;
  readonly export: { readonly fp16: unknown };
}

/** What a recipe asks for that language models, or what is kept of their teacher's answers, cannot give yet. */
export function languageModelProblems(recipe: Wanted): Problem[] {
  const writers = Object.entries(recipe.outputs ?? {}).filter(
    ([, { target }]) => findTarget(target)?.readsDocuments,
  );
  if (writers.length === 0) return [];
  if (!recipe.teacher) return halfProblems(recipe);
  const parts = writers.filter(([, output]) => (output as { keep?: unknown }).keep !== 'all');
  return [
    ...halfProblems(recipe),
    ...parts.flatMap(([name]) => wholeAnswerProblems(recipe, name)),
    ...writers.flatMap(([name, { keep }]) => [
      ...keptProblems(recipe, name, keep),
      ...softenedProblems(recipe, name, keep),
      ...(isForOtherTokens(keep) ? otherTokensProblems(recipe, name) : []),
    ]),
  ];
}

/** Losses that compare one form of what is kept, and how a recipe asks for it. */
const KEPT_FOR: Readonly<
  Record<string, { readonly kept: (keep: unknown) => boolean; readonly write: string }>
> = {
  uld: { kept: (keep) => isForOtherTokens(keep) && keep !== 'spans', write: '{ sorted: 32 }' },
  alignedLikelihoods: { kept: (keep) => keep === 'spans', write: 'spans' },
  nextTokenKd: { kept: (keep) => !isForOtherTokens(keep), write: '{ likeliest: 32 }' },
  tokenDivergence: { kept: (keep) => keep === 'all', write: 'all' },
};

/** Losses about an output that compare something else than what is kept of it. */
function keptProblems({ objective, outputs }: Wanted, name: string, keep: unknown): Problem[] {
  const [main] = Object.keys(outputs ?? {});
  return termsOf(objective).flatMap(({ kind, output = main, path }) => {
    const wanted = KEPT_FOR[kind];
    if (!wanted || output !== name || wanted.kept(keep)) return [];
    const message = `${kind} compares another part of the teacher's answers than is kept: set outputs.${name}.keep: ${wanted.write}`;
    return [{ path, message }];
  });
}

/** Options of a loss that only some forms of what is kept allow. */
function softenedProblems({ objective, outputs }: Wanted, name: string, keep: unknown): Problem[] {
  const [main] = Object.keys(outputs ?? {});
  if (keep === 'all') return [];
  return termsOf(objective).flatMap(({ kind, output = main, path }): Problem[] => {
    if (kind !== 'nextTokenKd' || output !== name) return [];
    const { temperature = 1, clip } = childOf(objective, path[1] as string | number) as {
      readonly temperature?: number;
      readonly clip?: unknown;
    };
    if (temperature !== 1) {
      const message = `what is kept of the teacher's answers is as it says them, not softened: leave the key out, or keep all logits (outputs.${name}.keep: all)`;
      return [{ path: [...path, 'temperature'], message }];
    }
    if (clip === undefined || !isSection(keep) || !('sampled' in keep)) return [];
    const message = `tokens that are drawn give no divergence, which could have a bound: leave the key out, or keep the likeliest tokens or all logits (outputs.${name}.keep)`;
    return [{ path: [...path, 'clip'], message }];
  });
}

/** What a student with other tokens than its teacher's cannot be taught with. */
function otherTokensProblems({ inputs, teacher }: Wanted, name: string): Problem[] {
  const kept = `what outputs.${name}.keep says`;
  const talks = Object.entries(inputs ?? {}).filter(
    ([, input]) => (input as { conversations?: boolean }).conversations,
  );
  const { kind, memory } = teacher as { readonly kind?: string; readonly memory?: unknown };
  return [
    ...talks.map(([input]) => ({
      path: ['inputs', input, 'conversations'],
      message: `a teacher with other tokens writes conversations by a template of its own: ${kept} is for documents`,
    })),
    ...(memory === undefined
      ? []
      : [
          {
            path: ['teacher', 'memory'],
            message: `a teacher in parts does not answer for other tokens yet: ${kept} needs all of it`,
          },
        ]),
    ...(kind === 'several'
      ? [
          {
            path: ['teacher', 'kind'],
            message: `several teachers do not answer for other tokens yet: ${kept} needs one`,
          },
        ]
      : []),
  ];
}

/** Keys and values are read and kept in float32. */
function halfProblems({ export: { fp16 } }: Wanted): Problem[] {
  if (fp16 === false) return [];
  const message = 'language models do not leave in float16 yet: take int8 or q4';
  return [{ path: ['export', 'fp16'], message }];
}

/** Uses of a teacher's answer that read all logits, where only some tokens of it are kept. */
export function wholeAnswerProblems(
  { weighting, training, objective }: Pick<Wanted, 'weighting' | 'training' | 'objective'>,
  name: string,
): Problem[] {
  const uses: [asked: boolean, what: string, path: Problem['path']][] = [
    [weighting.kind === 'dynamic', 'dynamic weighting', ['weighting', 'kind']],
    [training.dynamics !== false, 'following samples', ['training', 'dynamics']],
    [
      training.curriculum.kind === 'teacher-confidence',
      'a curriculum by the teacher',
      ['training', 'curriculum'],
    ],
    ...termsOf(objective).map(({ kind, path }): [boolean, string, Problem['path']] => [
      kind in LOSSES_THAT_ASK,
      kind,
      path,
    ]),
  ];
  return uses.flatMap(([asked, what, path]) =>
    asked
      ? [
          {
            path,
            message: `${what} reads the whole of the teacher's answer, of which some tokens are kept: keep all logits (outputs.${name}.keep: all)`,
          },
        ]
      : [],
  );
}
