import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { Split } from '../../data/split.ts';
import type { Session } from '../../engine/engine.ts';
import { generateTokens } from '../../generate/generate-tokens.ts';
import { sessionDecoder } from '../../generate/session-decoder.ts';
import type { Section } from '../../report/targets/section.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { rowIds } from '../batches/taught-texts.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { type ComparedModels, STUDENT_NAME, TEACHER_NAME } from './compared-models.ts';

/** Test texts that are shown. */
const TEXTS = 8;
/** The part of a text that is its prompt. */
const PROMPT = 1 / 3;
const MOST_TOKENS = 40;

interface OpenText {
  readonly prompt: readonly number[];
  readonly rest: readonly number[];
}

/** How each language model goes on from the beginnings of some test texts, beside how they really go on; nothing of other models. */
export async function continuations(
  run: Pick<RunContext, 'recipe' | 'checkInterrupted'>,
  { heads, task, dataset, teacherReads }: Pick<TaskData, 'heads' | 'task' | 'dataset' | 'teacherReads'>,
  models: Pick<ComparedModels, 'sessions' | 'names'>,
): Promise<Section> {
  const { tokenizer } = task;
  const isWriter = heads.length === 1 && heads[0]?.features === 'causal';
  if (!isWriter || !tokenizer || !run.recipe.report.examples) return [];
  const { maxLength } = run.recipe.data;
  const texts = openTexts(dataset.splits.test).filter(({ prompt }) => prompt.length < maxLength);
  if (texts.length === 0) return [];
  const made = new Map<string, readonly string[]>();
  for (const name of [TEACHER_NAME, STUDENT_NAME]) {
    const session = models.sessions.get(name);
    run.checkInterrupted();
    if (!session) continue;
    const other = name === TEACHER_NAME && teacherReads ? (task.teacher as TextTeacherSource) : undefined;
    const asRead = other
      ? texts.map(({ prompt, rest }) => ({
          prompt: other.tokenizer.promptIds(tokenizer.decode(prompt)),
          rest,
        }))
      : texts;
    made.set(name, await written(session, asRead, other ?? { tokenizer, maxLength }));
  }
  const said = (who: 'teacher' | 'student', i: number) => {
    const words = made.get(who)?.[i];
    return words === undefined ? [] : [{ who, words }];
  };
  return [
    {
      block: 'samples',
      title: 'How texts go on',
      about: `The first third of some test texts, and what each model goes on with: always the likeliest token, ${MOST_TOKENS} at most.`,
      samples: texts.map(({ prompt, rest }, i) => ({
        text: tokenizer.decode(prompt),
        said: [
          { who: 'truth' as const, words: tokenizer.decode(rest).trim() },
          ...said(TEACHER_NAME, i),
          ...said(STUDENT_NAME, i),
        ],
      })),
    },
  ];
}

/** Texts from all over a split, of all lengths, each divided in two. */
function openTexts(split: Split): OpenText[] {
  const found: OpenText[] = [];
  for (const [bucket, { size }] of split.buckets.entries()) {
    const wanted = Math.min(size, Math.round((TEXTS * size) / Math.max(1, split.size)));
    const chosen = Array.from({ length: wanted }, (_, i) => Math.floor((i * size) / wanted));
    if (wanted === 0) continue;
    for (const row of rowIds(split.readBatch(bucket, chosen, wanted))) {
      const ids = [...row];
      const length = Math.max(1, Math.round(PROMPT * ids.length));
      found.push({ prompt: ids.slice(0, length), rest: ids.slice(length) });
    }
  }
  return found.slice(0, TEXTS);
}

async function written(
  session: Session,
  texts: readonly OpenText[],
  { tokenizer, maxLength }: { readonly tokenizer: Tokenizer; readonly maxLength: number },
): Promise<string[]> {
  const ids = texts.map((): number[] => []);
  const prompts = texts.map(({ prompt }) => prompt);
  const longest = Math.max(...prompts.map(({ length }) => length));
  const tokens = generateTokens(sessionDecoder(session, { maxLength }), prompts, {
    maxNewTokens: Math.min(MOST_TOKENS, maxLength - longest),
    endIds: tokenizer.endOfText,
  });
  for await (const { row, id } of tokens) (ids[row] as number[]).push(id);
  return ids.map((own) => tokenizer.decode(own).trim() || '(it ends here)');
}
