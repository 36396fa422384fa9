import { findTarget } from '../targets/index.ts';
import { LOSSES_THAT_ASK, type Problem, termsOf } from './meaning.ts';
import type { OutputPart } from './outputs.ts';

interface Wanted {
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
  const [main] = Object.keys(recipe.outputs ?? {});
  return [...halfProblems(recipe), ...parts.flatMap(([name]) => wholeAnswerProblems(recipe, name, main))];
}

/** Keys and values are read and kept in float32. */
function halfProblems({ export: { fp16 } }: Wanted): Problem[] {
  if (fp16 === false) return [];
  const message = 'language models do not leave in float16 yet: take int8 or q4';
  return [{ path: ['export', 'fp16'], message }];
}

/** Uses of a teacher's answer that read all logits, where only some tokens of it are kept. */
function wholeAnswerProblems(
  { weighting, training, objective }: Wanted,
  name: string,
  main: string | undefined,
): Problem[] {
  const uses: [asked: boolean, what: string, path: Problem['path']][] = [
    [weighting.kind === 'dynamic', 'dynamic weighting', ['weighting', 'kind']],
    [training.dynamics !== false, 'following samples', ['training', 'dynamics']],
    [
      training.curriculum.kind === 'teacher-confidence',
      'a curriculum by the teacher',
      ['training', 'curriculum'],
    ],
    ...termsOf(objective).map(({ kind, output = main, path }): [boolean, string, Problem['path']] => [
      kind in LOSSES_THAT_ASK || (kind === 'tokenDivergence' && output === name),
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
