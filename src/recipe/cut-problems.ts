import type { Problem } from './meaning.ts';
import { inputsOf, type StatedParts } from './parts.ts';

const SIZES = ['layers', 'heads', 'width'] as const;
const TOWERS = ['text', 'image'] as const;

/** A cut of a recipe without a teacher, and sizes that are not of what the teacher is: a model of two towers, or of one. */
export function cutProblems(
  recipe: StatedParts & { readonly student: object; readonly teacher?: unknown },
): Problem[] {
  const student = recipe.student as { readonly kind?: string } & Readonly<Record<string, unknown>>;
  if (student.kind !== 'cut') return [];
  if (recipe.teacher === undefined) {
    const message =
      'a student that is cut out of its teacher needs one: name a teacher, or begin with a model of your own (kind: onnx)';
    return [{ path: ['student', 'kind'], message }];
  }
  const modalities = new Set(inputsOf(recipe).map(({ modality }) => modality));
  const hasTowers = modalities.has('text') && modalities.has('image');
  const strange = (hasTowers ? SIZES : TOWERS).filter((key) => student[key] !== undefined);
  const message = hasTowers
    ? 'a teacher of texts and images has two towers: give their sizes in student.text and student.image'
    : 'a teacher of one modality has no towers: give its sizes in student.layers, heads and width';
  return [
    ...strange.map((key) => ({ path: ['student', key], message })),
    ...[['layers'], ['text', 'layers'], ['image', 'layers']].flatMap((path) => orderProblems(student, path)),
  ];
}

/** Layers that are listed twice, or not in the teacher's order. */
function orderProblems(student: object, path: readonly string[]): Problem[] {
  const layers = path.reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    student,
  );
  if (!Array.isArray(layers)) return [];
  const place = layers.findIndex((layer, i) => i > 0 && layer <= layers[i - 1]);
  if (place < 0) return [];
  const message = `layers are listed once each, in the teacher's order: ${layers[place]} comes after ${layers[place - 1]}`;
  return [{ path: ['student', ...path], message }];
}
