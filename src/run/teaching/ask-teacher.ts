import type { Engine } from '../../engine/engine.ts';
import { createOnnxTeacher } from '../../teachers/onnx-teacher.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';

/** How many samples go through a teacher at once; larger batches are no faster (docs/measurements-use-lite.md). */
export const TEACHER_BATCH = 64;

/** What a teacher's answers depend on besides its model. */
export interface LabellingInputs {
  readonly preprocessing: string;
  readonly vocabularySize?: number;
}

/** What a text teacher's answers depend on: its tokenizer, and where texts are cut. */
export function textLabelling(
  { tokenizer }: Pick<TextTeacherSource, 'tokenizer'>,
  maxLength: number,
): LabellingInputs {
  return {
    preprocessing: `tokenizer ${tokenizer.hash}, at most ${maxLength} tokens`,
    vocabularySize: tokenizer.vocabularySize,
  };
}

/** Opens one of a teacher's models, a file or its bytes, to be asked about samples; the caller closes it. */
export function openLabeller(
  { engine }: { readonly engine: Engine },
  { preprocessing, vocabularySize }: LabellingInputs,
  model: string | Uint8Array,
  title: string,
  tapped: { readonly hash?: string; readonly sequence?: number } = {},
): Promise<Teacher> {
  return createOnnxTeacher({ engine, model, title, preprocessing, vocabularySize, ...tapped });
}
