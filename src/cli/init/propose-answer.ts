import type { FileSurvey } from '../../data/survey/survey-file.ts';
import { LimbeckError } from '../../errors.ts';
import { formatCount, plainLine } from '../progress/format.ts';
import type { Proposal, Wishes } from './proposal.ts';

const SHOWN_CLASSES = 8;

/** The part of a proposal that is about what a model answers. */
type AnswerPart = Pick<Proposal, 'task' | 'teacher' | 'student' | 'set' | 'seen'> & {
  readonly source: Readonly<Record<string, unknown>>;
};

/** What a model of a table's texts, images or audio may answer: a class, several, a number, or the teacher's vector. */
export function proposeAnswer(
  survey: FileSurvey,
  modality: 'text' | 'image' | 'audio',
  wishes: Wishes,
): AnswerPart {
  const { labelField, classesField, spansField, numberField } = survey.choice;
  const task = `${modality}-classification` as const;
  if (labelField !== undefined)
    return { task, source: { labelField }, set: [], seen: [classLine(survey, labelField)] };
  if (classesField !== undefined) {
    const separator = columnOf(survey, classesField)?.several?.separator;
    const output = { target: 'classes', field: classesField, ...(separator && { separator }) };
    return { task, source: {}, set: outputs({ logits: output }), seen: [classesLine(survey, classesField)] };
  }
  if (spansField !== undefined && modality === 'text') {
    const task = 'token-classification';
    return { task, source: { labelField: spansField }, set: [], seen: [spansLine(survey, spansField)] };
  }
  if (numberField !== undefined) {
    const decimal = columnOf(survey, numberField)?.decimal;
    const set = outputs({ number: { target: 'number', field: numberField, ...(decimal && { decimal }) } });
    return { task, source: {}, set, seen: [numberLine(survey, numberField)] };
  }
  if (wishes.saysAnswer) return { task, source: {}, set: [], seen: [] };
  // A model of their own may know classes; the sentence encoder knows vectors.
  const { teacher } = wishes;
  if (teacher !== undefined && teacher !== 'none' && teacher !== 'use-lite' && teacher !== 'chat')
    return {
      task,
      source: {},
      set: [],
      seen: [`class: no column holds one${candidates(survey)}; the teacher has to know its classes`],
    };
  if (modality === 'text' && (teacher === undefined || teacher === 'use-lite')) {
    return {
      task: 'feature-extraction',
      teacher: 'use-lite',
      student: 'static-embedding',
      source: {},
      set: [
        ...outputs({ sentence_embedding: { target: 'embedding' } }),
        'teacher.train=none',
        'student.width=512',
      ],
      seen: [
        `class: no column holds one${candidates(survey)}; so the texts' vectors are learnt, which the sentence encoder tells. For classes name their column: --set data.source.labelField=COLUMN`,
      ],
    };
  }
  throw unlabelled(survey, modality, teacher);
}

function outputs(value: object): string[] {
  return [`outputs=${JSON.stringify(value)}`];
}

/** Nothing says what is to be learnt. */
function unlabelled(survey: FileSurvey, modality: string, teacher: string | undefined): LimbeckError {
  const own = modality === 'text' ? 'onnx' : `onnx-${modality}`;
  const other =
    teacher === 'chat'
      ? "name the classes that it is asked about: --set outputs.logits='{ target: class, labels: [good, bad] }'"
      : `name a teacher that knows its classes: --teacher ${own} --set teacher.model=FOLDER`;
  return new LimbeckError(
    'cli.no-answer',
    `nothing says what a model is to answer: no column holds classes or numbers${candidates(survey)}`,
    {
      where: `columns: ${survey.columns.map(({ name }) => plainLine(name)).join(', ')}`,
      remedy: `Name the column of classes: --set data.source.labelField=COLUMN; or ${other}.`,
    },
  );
}

/** What a column holds that has no names. */
const HELD = {
  records: 'records, which are no classes',
  flags: 'a 0 or 1 for each class',
  spans: 'spans',
  tags: 'tags of words',
} as const;

/** Columns that could be classes, or numbers. */
function candidates({ columns, choice }: FileSurvey): string {
  const few = columns
    .filter(
      ({ name, distinct, filled }) =>
        name !== choice.textField && name !== choice.files?.field && distinct >= 2 && distinct < filled,
    )
    .map(({ name, distinct, records }) =>
      records
        ? `${plainLine(name)}: ${HELD[records]}`
        : `${plainLine(name)}: ${formatCount(distinct)} values`,
    );
  return few.length > 0 ? ` beyond doubt (${few.join(', ')})` : '';
}

function columnOf({ columns }: FileSurvey, field: string) {
  return columns.find(({ name }) => name === field);
}

function classLine(survey: FileSurvey, field: string): string {
  const { distinct = 0, values = [] } = columnOf(survey, field) ?? {};
  return `class: ${plainLine(field)}, ${formatCount(distinct)} classes: ${named(values, distinct)}${without(survey, field)}`;
}

function classesLine(survey: FileSurvey, field: string): string {
  if (columnOf(survey, field)?.records === 'flags')
    return `classes: ${plainLine(field)}, a 0 or 1 for each by its name${without(survey, field)}`;
  const { names = [], distinct = 0 } = columnOf(survey, field)?.several ?? {};
  return `classes: ${plainLine(field)}, any of ${formatCount(distinct)} a row: ${named(names, distinct)}${without(survey, field)}`;
}

function spansLine(survey: FileSurvey, field: string): string {
  const isTags = columnOf(survey, field)?.records === 'tags';
  return `spans: ${plainLine(field)}, ${isTags ? 'a tag for each word' : 'from start to end, with a label'}${without(survey, field)}`;
}

function numberLine(survey: FileSurvey, field: string): string {
  const { distinct = 0, decimal } = columnOf(survey, field) ?? {};
  const written = decimal ? `, with '${decimal}' before decimals` : '';
  return `number: ${plainLine(field)}, ${formatCount(distinct)} different values${written}${without(survey, field)}`;
}

function named(values: readonly (readonly [string, number])[], distinct: number): string {
  const shown = values
    .slice(0, SHOWN_CLASSES)
    .map(([name, count]) => `${plainLine(name)} (${formatCount(count)})`);
  const others = distinct > SHOWN_CLASSES ? ` and ${formatCount(distinct - SHOWN_CLASSES)} more` : '';
  return `${shown.join(', ')}${others}`;
}

function without(survey: FileSurvey, field: string): string {
  const { filled = survey.rows } = columnOf(survey, field) ?? {};
  return filled < survey.rows ? `; ${formatCount(survey.rows - filled)} rows have none` : '';
}
