import { documentFrame } from '../../data/corpus/document-pieces.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { LimbeckError } from '../../errors.ts';
import type { Decoder } from '../../generate/decoder.ts';
import { generateTokens } from '../../generate/generate-tokens.ts';
import { sessionDecoder } from '../../generate/session-decoder.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { OTHER_TOKENIZER } from '../teaching/read-apart.ts';

/** How texts are written. */
export interface WritingChoice {
  readonly maxNewTokens?: number | undefined;
  readonly temperature: number;
  readonly topP: number;
}

/** What texts begin with, and where their draws come from. */
export interface Prompt {
  readonly ids: readonly number[];
  readonly length: number;
  readonly seed: number;
}

/** The tokens that end a text. */
export function endIdsOf(tokenizer: Tokenizer): number[] {
  return [...new Set([...documentFrame(tokenizer).after.slice(0, 1), ...tokenizer.endOfText])];
}

/**
 * What a model writes after the beginnings of some documents, the tokens that end texts included. Texts with their beginnings are
 * no longer than `maxLength`, whatever the model would go on with.
 *
 * @throws LimbeckError `generate.not-finite`, which names the document
 */
export async function writeTexts(
  decoder: Decoder,
  prompts: readonly Prompt[],
  {
    maxNewTokens,
    temperature,
    topP,
    maxLength,
    endIds,
    signal,
    titleOf,
  }: WritingChoice & {
    readonly maxLength: number;
    readonly endIds: readonly number[];
    readonly signal?: AbortSignal | undefined;
    readonly titleOf?: (row: number) => string;
  },
): Promise<number[][]> {
  const written = prompts.map((): number[] => []);
  const room = maxLength - Math.max(...prompts.map(({ length }) => length));
  const tokens = generateTokens(
    decoder,
    prompts.map(({ ids, length }) => ids.slice(0, length)),
    {
      maxNewTokens: Math.min(maxNewTokens ?? room, room),
      temperature,
      ...(topP < 1 && { topP }),
      endIds,
      seeds: prompts.map(({ seed }) => seed),
      titleOf,
      signal,
    },
  );
  for await (const { row, id } of tokens) (written[row] as number[]).push(id);
  return written;
}

/**
 * The recipe's teacher as it writes: the file that was given, with its cache of keys and values where it has one; the caller
 * releases it.
 *
 * @throws LimbeckError `recipe.invalid` for a teacher that cannot write, `generate.model`
 */
export async function openWriter(
  { engine, recipe }: Pick<RunContext, 'engine' | 'recipe'>,
  data: Pick<TaskData, 'task' | 'teacherReads'>,
): Promise<{ readonly decoder: Decoder; readonly file: string; release(): Promise<void> }> {
  const file = writingFile(data);
  const { title } = data.task.teacher as { readonly title: string };
  const session = await engine.load(file, { title });
  try {
    const decoder = sessionDecoder(session, { maxLength: recipe.data.maxLength, title });
    return { decoder, file, release: () => session.release() };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/**
 * The file of the teacher that writes texts a student can read.
 *
 * @throws LimbeckError `recipe.invalid` for a teacher with other tokens than its student, and one that is no file
 */
export function writingFile({ task, teacherReads }: Pick<TaskData, 'task' | 'teacherReads'>): string {
  const { teacher } = task;
  requireSameTokens({ teacherReads }, 'data.written');
  if (teacher?.file !== undefined) return teacher.file;
  throw new LimbeckError(
    'recipe.invalid',
    'the teacher is no single model file, and cannot be asked to write',
    {
      where: 'teacher, with data.written',
      remedy: 'Take a decoder as a teacher: { kind: onnx, model: FOLDER, train: none }.',
    },
  );
}

/** @throws LimbeckError `recipe.invalid` where teacher and student have other tokens, and read each other's texts for that */
export function requireSameTokens({ teacherReads }: Pick<TaskData, 'teacherReads'>, key: string): void {
  if (!teacherReads) return;
  const { apart = OTHER_TOKENIZER } = teacherReads;
  throw new LimbeckError(
    'recipe.invalid',
    'teacher and student have other tokens, and cannot read what the other writes',
    {
      where: `${key}, ${apart.where}`,
      remedy: apart.remedy,
    },
  );
}
