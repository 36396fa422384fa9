import { LimbeckError } from '../errors.ts';
import { weighedOptions } from '../objectives/index.ts';
import { findTarget } from '../targets/index.ts';
import type { Problem } from './meaning.ts';
import { inputsOf, outputsOf, type StatedParts } from './parts.ts';

interface Wanted extends StatedParts {
  readonly data: StatedParts['data'] & { readonly adversarial?: unknown };
  readonly objective: Parameters<typeof weighedOptions>[0];
  readonly teacher?: unknown;
}

/** What a recipe asks for that needs inputs of another modality: pixels that can be moved, texts that have tokens. */
export function modalityProblems(recipe: Wanted): Problem[] {
  const modalities = new Set(inputsOf(recipe).map(({ modality }) => modality));
  const problems: Problem[] = [];
  if (!modalities.has('image')) {
    const what = modalities.has('text') ? 'texts have' : 'audio has';
    if (recipe.data.adversarial !== undefined) {
      const remedy = 'attack the student inside the training step instead (objective.boundary)';
      problems.push({
        path: ['data', 'adversarial'],
        message: `${what} no pixels that could be disturbed: ${remedy}`,
      });
    }
    if (weighedOptions(recipe.objective, 'boundary').some(({ target }) => target === 'teacher')) {
      const path = Array.isArray(recipe.objective) ? ['objective'] : ['objective', 'boundary', 'target'];
      const message = `${what} no pixels that the teacher could be asked about inside the step: use its kept answers (target: kept)`;
      problems.push({ path, message });
    }
  }
  return [
    ...problems,
    ...(modalities.has('text') ? [] : withoutTexts(recipe)),
    ...headProblems(recipe),
    ...promptProblems(recipe, [...modalities]),
  ];
}

/** A prompt for a teacher that does not read texts alone: which models of a hub do is known by the recipe's inputs. */
function promptProblems({ teacher }: Wanted, modalities: readonly string[]): Problem[] {
  if (modalities.every((modality) => modality === 'text')) return [];
  const { prompt, teachers } = (teacher ?? {}) as {
    readonly prompt?: unknown;
    readonly teachers?: readonly { readonly prompt?: unknown }[];
  };
  const message = `a prompt is read before texts, and the teacher reads ${modalities.join(' and ')}: leave it out`;
  const paths = [
    ...(prompt === undefined ? [] : [['teacher', 'prompt']]),
    ...(teachers ?? []).flatMap((one, i) =>
      one.prompt === undefined ? [] : [['teacher', 'teachers', i, 'prompt']],
    ),
  ];
  return paths.map((path) => ({ path, message }));
}

/** Outputs about tokens, where nothing that is read has some. */
function withoutTexts(recipe: Wanted): Problem[] {
  return outputsOf(recipe).flatMap(({ name, target, options }) => {
    try {
      findTarget(target)?.truth(options, {});
      return [];
    } catch (error) {
      if (!(error instanceof LimbeckError)) throw error;
      return [
        { path: ['outputs', name, 'target'], message: `${error.message}. ${error.remedy ?? ''}`.trim() },
      ];
    }
  });
}

/** Outputs that a head on a teacher's one vector a sample cannot answer for. */
function headProblems(recipe: Wanted): Problem[] {
  const { train } = (recipe.teacher ?? {}) as { readonly train?: string };
  if (train !== 'head' && train !== 'all') return [];
  return outputsOf(recipe).flatMap(({ name, target: kind }) => {
    const target = findTarget(kind);
    if (!target || target.features === 'pooled') return [];
    const message = `a head on one vector a sample cannot answer with ${target.title} (the output '${name}'): take a teacher that has this output (train: none)`;
    return [{ path: ['teacher', 'train'], message }];
  });
}
