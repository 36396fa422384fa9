import { findTarget } from '../targets/index.ts';
import { wholeAnswerProblems } from './language-model-problems.ts';
import type { Problem } from './meaning.ts';
import type { OutputPart } from './outputs.ts';

interface Wanted {
  readonly outputs?: Readonly<Record<string, OutputPart>> | undefined;
  readonly data: { readonly augmentation?: { readonly flip: boolean } | undefined };
  readonly export: { readonly fp16: unknown };
  readonly teacher?: unknown;
  readonly objective: unknown;
  readonly weighting: { readonly kind: string };
  readonly training: { readonly dynamics: unknown; readonly curriculum: { readonly kind: string } };
}

/** What a recipe asks for that does not go with a sentence about an image (`target: sentence`). */
export function sentenceProblems(recipe: Wanted): Problem[] {
  const {
    outputs = {},
    data,
    export: { fp16 },
  } = recipe;
  const [first, second] = Object.entries(outputs).flatMap(([name, { target }]) =>
    findTarget(target)?.writes ? [name] : [],
  );
  if (first === undefined) return [];
  const found: [asked: boolean, path: Problem['path'], message: string][] = [
    [
      second !== undefined,
      ['outputs', second ?? first, 'target'],
      `a student writes one sentence, and '${first}' is one`,
    ],
    [
      data.augmentation?.flip === true,
      ['data', 'augmentation'],
      `images are mirrored, and the sentences of '${first}' are not: set flip to false, for a sentence may say what is on the left`,
    ],
    [
      fp16 !== false,
      ['export', 'fp16'],
      `what writes '${first}' does not leave in float16 yet: take int8 or q4`,
    ],
  ];
  const keep = (outputs[first] as { keep?: unknown }).keep;
  const isPart = recipe.teacher !== undefined && keep !== undefined && keep !== 'all';
  return [
    ...found.flatMap(([asked, path, message]) => (asked ? [{ path, message }] : [])),
    ...(isPart ? wholeAnswerProblems(recipe, first) : []),
  ];
}
