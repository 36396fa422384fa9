import { LimbeckError } from '../../errors.ts';
import { writerFileOf } from '../../export/is-writer.ts';
import { joinWriter } from '../../export/writer-files.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { openModelFile } from '../../onnx/node-files.ts';
import { int64 } from '../../onnx/tensor.ts';
import type { SentenceSpace } from '../../targets/sentence-truth.ts';
import { FIRST_WORD, UNKNOWN } from '../../targets/sentence-words.ts';
import { type WriterFacts, writerFacts } from '../../targets/writer-facts.ts';
import type { ImageTeacherSource } from '../../teachers/teacher-source.ts';

/** The output with a sentence of a recipe, as its batches have it. */
export interface WantedSentence extends SentenceSpace {
  readonly output: string;
  /** The column with the word before each. */
  readonly input: string;
}

/**
 * A teacher that writes, of its two files: it reads the true words before each, in the numbers of the recipe's own vocabulary. A
 * word that it does not know is an unknown one to it.
 *
 * @throws LimbeckError `teacher.vocabulary` for a teacher that knows less than half of the words, or writes shorter sentences
 */
export function writingTeacher(teacher: ImageTeacherSource, wanted: WantedSentence): ImageTeacherSource {
  const file = writerFileOf(teacher.file as string);
  const decoder = openModelFile(file).graph;
  const own = writerFacts(decoder);
  if (!own) {
    throw new LimbeckError('teacher.vocabulary', 'the teacher does not say which words it writes', {
      where: file,
      remedy: 'Take a teacher that was trained with Limbeck, with `target: sentence`.',
    });
  }
  if (own.length < wanted.length) {
    throw new LimbeckError(
      'teacher.vocabulary',
      `the teacher writes sentences of ${own.length - 1} words, those of the data have up to ${wanted.length - 1}`,
      {
        where: `${file}, for outputs.${wanted.output}`,
        remedy: `Set outputs.${wanted.output}.length to ${own.length - 1}, or train the teacher on sentences as long.`,
      },
    );
  }
  const { translate, unknown } = translation(own, wanted);
  if (2 * unknown.length > wanted.words.length) {
    throw new LimbeckError(
      'teacher.vocabulary',
      `the teacher does not know ${unknown.length} of ${wanted.words.length} words`,
      {
        where: `${file}: ${unknown.slice(0, 10).join(', ')}`,
        remedy: 'Take a teacher that was trained on sentences of this kind.',
      },
    );
  }
  const facts: WriterFacts = { ...wanted };
  const model = joinWriter({ encoder: teacher.model, decoder }, { ...wanted, facts, translate });
  const notes =
    unknown.length > 0
      ? [
          `the teacher does not know ${unknown.length} of ${wanted.words.length} words: ${unknown.slice(0, 5).join(', ')}`,
        ]
      : [];
  return { ...teacher, model, notes: [...(teacher.notes ?? []), ...notes] };
}

/** Of the recipe's words those of the teacher, and back; nothing where both are the same. */
function translation(own: WriterFacts, { words }: WantedSentence) {
  const numbers = new Map(own.words.map((word, i) => [word, FIRST_WORD + i]));
  const unknown = words.filter((word) => !numbers.has(word));
  if (words.join(' ') === own.words.join(' ')) return { translate: undefined, unknown };
  const theirs = int64([
    ...Array.from({ length: FIRST_WORD }, (_, i) => i),
    ...words.map((word) => numbers.get(word) ?? UNKNOWN),
  ]);
  const translate = {
    words: (g: GraphBuilder, ids: TypedValue) => g.gather(g.constant(theirs), ids),
    logits: (g: GraphBuilder, logits: TypedValue) => g.gather(logits, g.constant(theirs), 2),
  };
  return { translate, unknown };
}
