import { LimbeckError } from '../../errors.ts';
import type { Question } from '../../metrics/choices/question.ts';
import { readdir } from '../../platform/async-files.ts';
import { join } from '../../platform/paths.ts';
import type { BrokenRow } from '../sample.ts';
import { csvRecords } from '../text-files/csv-records.ts';
import { FILE_REMEDIES } from '../text-files/file-remedies.ts';
import { textFormat, textLines } from '../text-files/text-lines.ts';

/** The questions of one subject. */
export interface Subject {
  /** As its files are named: `abstract_algebra`. */
  readonly name: string;
  /** Those that are asked. */
  readonly questions: readonly Question[];
  /** Those that may stand before, with their answers. */
  readonly shots: readonly Question[];
}

export interface MmluQuestions {
  /** By name. */
  readonly subjects: readonly Subject[];
  /** Rows that are no questions; they are not asked. */
  readonly broken: readonly BrokenRow[];
}

/** Question, four choices, letter of the right one; there is no header. */
const COLUMNS = 6;
const ANSWERS = ['A', 'B', 'C', 'D'];
const RFC_4180 = { delimiter: ',', quote: '"', escape: '"' };

/**
 * MMLU as its authors publish it, and whatever else has its form: `test/SUBJECT_test.csv` and `dev/SUBJECT_dev.csv` (the answered
 * examples), each row a question, its choices A to D, and the letter of the right one.
 *
 * Hendrycks et al., "Measuring Massive Multitask Language Understanding" (2021, arXiv 2009.03300).
 *
 * @param part `test`, or `val` for its validation questions
 * @throws LimbeckError `data.not-found` for a folder without such files
 */
export async function readMmlu(folder: string, part: 'test' | 'val' = 'test'): Promise<MmluQuestions> {
  const names = await subjectsIn(join(folder, part), part);
  const examples = new Set(await subjectsIn(join(folder, 'dev'), 'dev').catch(() => []));
  if (names.length === 0) {
    throw new LimbeckError('data.not-found', `there is no file ${part}/SUBJECT_${part}.csv`, {
      where: folder,
      remedy: 'Give the folder that MMLU is unpacked to: it has the folders dev, val and test.',
    });
  }
  const broken: BrokenRow[] = [];
  const subjects: Subject[] = [];
  for (const name of names) {
    const read = async (kind: string) => {
      const questions: Question[] = [];
      for await (const row of mmluRows(
        join(folder, kind, `${name}_${kind}.csv`),
        `${kind}/${name}_${kind}.csv`,
        name,
      )) {
        if ('problem' in row) broken.push(row);
        else questions.push(row);
      }
      return questions;
    };
    subjects.push({ name, questions: await read(part), shots: examples.has(name) ? await read('dev') : [] });
  }
  return { subjects, broken };
}

async function subjectsIn(folder: string, part: string): Promise<string[]> {
  const end = `_${part}.csv`;
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (cause) {
    throw new LimbeckError('data.not-found', `there is no folder ${part}`, {
      where: folder,
      remedy: 'Give the folder that MMLU is unpacked to: it has the folders dev, val and test.',
      cause,
    });
  }
  return files
    .filter((file) => file.endsWith(end) && file.length > end.length)
    .map((file) => file.slice(0, -end.length))
    .sort();
}

/** The questions of a file, and what is wrong with rows that are none. */
async function* mmluRows(path: string, file: string, subject: string): AsyncGenerator<Question | BrokenRow> {
  const format = await textFormat(path, 'CSV', FILE_REMEDIES);
  const shape = { columns: COLUMNS, label: COLUMNS - 1, classes: new Set(ANSWERS) };
  for await (const { line, fields, problem, excerpt } of csvRecords(
    textLines(path, format),
    RFC_4180,
    shape,
    FILE_REMEDIES,
  )) {
    const id = `${file}:${line}`;
    const wrong = problem ?? problemOf(fields);
    if (wrong) {
      yield { where: id, problem: wrong.message, reason: wrong.reason, excerpt };
      continue;
    }
    const [text, ...rest] = fields.map((field) => field.trim()) as [string, ...string[]];
    yield { id, subject, text, choices: rest.slice(0, -1), answer: ANSWERS.indexOf(rest.at(-1) as string) };
  }
}

function problemOf(fields: readonly string[]): (Pick<BrokenRow, 'reason'> & { message: string }) | undefined {
  if (fields.length !== COLUMNS)
    return {
      reason: 'columns',
      message: `the row has ${fields.length} columns, not ${COLUMNS}: question, A, B, C, D, answer`,
    };
  const empty = fields.findIndex((field) => field.trim() === '');
  if (empty >= 0)
    return {
      reason: 'text',
      message: `column ${empty + 1} (${['question', ...ANSWERS, 'answer'][empty]}) is empty`,
    };
  const answer = (fields.at(-1) as string).trim();
  if (!ANSWERS.includes(answer))
    return { reason: 'label', message: `the answer is ${JSON.stringify(answer)}, not A, B, C or D` };
  return undefined;
}
