import type { Problem } from './meaning.ts';
import { inputsOf, type StatedParts } from './parts.ts';

const SIZES = ['layers', 'heads', 'width'] as const;
const TOWERS = ['text', 'image'] as const;

/** Sizes of a cut that are not of what the recipe's teacher is: a model of two towers, or of one. */
export function cutProblems(recipe: StatedParts & { readonly student: object }): Problem[] {
  const student = recipe.student as { readonly kind?: string } & Readonly<Record<string, unknown>>;
  if (student.kind !== 'cut') return [];
  const modalities = new Set(inputsOf(recipe).map(({ modality }) => modality));
  const hasTowers = modalities.has('text') && modalities.has('image');
  const strange = (hasTowers ? SIZES : TOWERS).filter((key) => student[key] !== undefined);
  const message = hasTowers
    ? 'a teacher of texts and images has two towers: give their sizes in student.text and student.image'
    : 'a teacher of one modality has no towers: give its sizes in student.layers, heads and width';
  return strange.map((key) => ({ path: ['student', key], message }));
}
