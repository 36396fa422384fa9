import type { Engine } from '../../engine/engine.ts';
import type { Graph } from '../../onnx/graph.ts';
import { createOnnxTeacher } from '../../teachers/onnx-teacher.ts';
import type { MemoryBound } from '../../teachers/parts/parted-model.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';

/** How many samples go through a teacher at once; larger batches are no faster (docs/measurements-use-lite.md). */
export const TEACHER_BATCH = 64;

/** What a teacher's answers depend on besides its model. */
export interface LabellingInputs {
  readonly preprocessing: string;
  readonly vocabularySize?: number;
  /** Columns that are fed in their own type, where samples are neither texts nor images. */
  readonly columns?: readonly string[];
}

/** What a text teacher's answers depend on: its tokenizer, where texts are cut, and what goes before them. */
export function textLabelling(
  { tokenizer, prompt = '' }: Pick<TextTeacherSource, 'tokenizer' | 'prompt'>,
  maxLength: number,
): LabellingInputs {
  return {
    preprocessing: `tokenizer ${tokenizer.hash}, at most ${maxLength} tokens${cutting(tokenizer)}${prompted(prompt)}`,
    vocabularySize: tokenizer.vocabularySize,
  };
}

/** As a part of a key: nothing where there is no prompt, as before there were any. */
export function prompted(prompt: string): string {
  return prompt === '' ? '' : `, after ${JSON.stringify(prompt)}`;
}

/** Earlier versions cut special tokens off and padded on the right: answers to such texts are not ours. */
function cutting({ frame }: TextTeacherSource['tokenizer']): string {
  const { before, after, truncationSide, paddingSide } = frame;
  const kept = before + after > 0 ? ' with special tokens' : '';
  const cut = truncationSide === 'left' ? ', the last ones' : '';
  return `${kept}${cut}${paddingSide === 'left' ? ', padded on the left' : ''}`;
}

/** Opens one of a teacher's models, a file, its bytes or its graph, to be asked about samples; the caller closes it. */
export function openLabeller(
  { engine }: { readonly engine: Engine },
  { preprocessing, vocabularySize, columns }: LabellingInputs,
  model: string | Uint8Array | Graph,
  title: string,
  how: { readonly hash?: string; readonly parallel?: boolean; readonly bound?: MemoryBound | undefined } = {},
): Promise<Teacher> {
  return createOnnxTeacher({ engine, model, title, preprocessing, vocabularySize, columns, ...how });
}
