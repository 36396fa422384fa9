import type { Engine } from '../../engine/engine.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { createOnnxTeacher } from '../../teachers/onnx-teacher.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';

/** How many texts go through the encoder at once; larger batches are no faster (docs/measurements-use-lite.md). */
export const TEACHER_BATCH = 64;

/** What a teacher's answers depend on besides its model. */
export function preprocessingOf(source: Pick<TeacherSource, 'tokenizer'>, maxLength: number): string {
  return `tokenizer ${source.tokenizer.hash}, at most ${maxLength} tokens`;
}

/** Opens one of a teacher's models, a file or its bytes, to be asked about texts; the caller closes it. */
export function openLabeller(
  run: { readonly recipe: Recipe; readonly engine: Engine },
  source: TeacherSource,
  model: string | Uint8Array,
  title: string,
): Promise<Teacher> {
  return createOnnxTeacher({
    engine: run.engine,
    model,
    title,
    preprocessing: preprocessingOf(source, run.recipe.data.maxLength),
    vocabularySize: source.tokenizer.vocabularySize,
  });
}
