import { DECIMAL_MARKS, type DecimalMark, writtenNumber } from '../labels/written-numbers.ts';
import { isRecords, type RecordsKind, recordsKind } from './records.ts';
import { type SeveralNames, severalNames } from './several-names.ts';
import { type FileModality, modalityOfFiles } from './survey-files.ts';

/** What is known of a column from the first rows. */
export interface ColumnSurvey {
  readonly name: string;
  /** Rows that have a value there. */
  readonly filled: number;
  /** Different values. */
  readonly distinct: number;
  /** Mean length of its values as text, in characters. */
  readonly meanLength: number;
  /** Whether its values are texts, and not numbers. */
  readonly isText: boolean;
  /** Whether its values are numbers, and whether all of them are whole. */
  readonly isNumber: boolean;
  readonly isWhole: boolean;
  /** What stands before the decimals of its numbers, where they are no plain ones. */
  readonly decimal?: DecimalMark;
  /** Whether a value is a list. */
  readonly hasLists: boolean;
  /** The commonest values with their counts. */
  readonly values: readonly (readonly [string, number])[];
  /** What the values are, where they are lists of few names: several classes a row. */
  readonly several?: SeveralNames;
  /** What they are, where they are records, lists of records or tags of words. */
  readonly records?: RecordsKind;
}

/** Which columns hold what, as far as it shows. */
export interface ColumnChoice {
  /**
   * The paths of images or of audio files, where there are such: then these are read, and not the text; `caption` is the
   * column of texts that belong to images of no class.
   */
  readonly files?: {
    readonly field: string;
    readonly modality: FileModality;
    readonly caption?: string;
  };
  readonly textField?: string;
  readonly labelField?: string;
  /** The column with several classes a row, where none has one class. */
  readonly classesField?: string;
  /** The column with spans of the text, or a tag for each of its words, where none has classes of a row. */
  readonly spansField?: string;
  /** The column with a number a row, where none has classes. */
  readonly numberField?: string;
  readonly idField?: string;
  readonly splitField?: string;
}

const MOST_VALUES = 50;
/** Different numbers of a column that may be the numbers of classes. */
const MOST_CLASS_NUMBERS = 20;
const NUMBER = /^[-+]?[\d.,]+(e[-+]?\d+)?$/i;

/** Names that say what a column holds, the likeliest first. */
const TEXT_NAMES =
  /^(text|sentence|content|body|message|review|comment|question|utterance|description|document|tweet|title|input|caption)s?$/i;
/** English first; then the words of other languages that have such columns in their exports. */
const LABEL_NAMES =
  /^(label|class|category|target|intent|sentiment|topic|tag|y|stars|rating|polarity)(e?s)?([_ -]?(name|text|id))?$/i;
const NUMBER_NAMES =
  /^(score|rating|price|value|target|y|label|amount|cost|age|grade|points|similarity|stars|salary|weight|height|duration)s?$/i;
const LABEL_NAMES_ELSEWHERE =
  /^(kategorien?|klassen?|thema|etikett|art|typ|rubrik|cat[ée]gories?|classes?|[ée]tiquettes?|sujet|rubrique|categor[ií]as?|clases?|etiquetas?|tema|categori[ae]|class[ei]|etichett[ae]|klasse[rn]?|type|kind)$/iu;
const DATE = /^\d{1,4}[-./]\d{1,2}([-./]\d{1,4})?([T ,].*)?$|^\d{1,2}:\d{2}/;
const SPLIT_NAMES = /^(split|fold|set|subset|partition)$/i;
const SPLIT_WORDS = /^(train|training|valid|validation|val|dev|test|eval)$/i;
const ID_NAMES = /^(id|uuid|guid|key|.*[_ -]id|.*Id)$/;

export function surveyColumns(rows: readonly Readonly<Record<string, unknown>>[]): ColumnSurvey[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return names.map((name) => {
    const values = rows
      .map((row) => row[name])
      .filter((value) => value !== undefined && value !== null && value !== '');
    const records = recordsKind(values);
    // Of rows with a mistake in them nothing is a class.
    const texts = (records ? values : values.filter((value) => !isRecords(value))).map(textOf);
    const counts = new Map<string, number>();
    for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
    const several = severalNames(values);
    const decimal = decimalMark(values);
    const numbers = values.map((value) => numberOf(value, decimal));
    const isNumber = values.length > 0 && numbers.every(Number.isFinite);
    return {
      name,
      filled: values.length,
      distinct: counts.size,
      meanLength: texts.reduce((sum, text) => sum + text.length, 0) / Math.max(1, texts.length),
      isText: !records && values.filter(isWords).length >= 0.9 * Math.max(1, values.length),
      isNumber,
      isWhole: isNumber && numbers.every(Number.isInteger),
      ...(isNumber && decimal && { decimal }),
      hasLists: values.some(Array.isArray),
      values: [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_VALUES),
      ...(several && { several }),
      ...(records && { records }),
    };
  });
}

function isWords(value: unknown): boolean {
  return typeof value === 'string' && !NUMBER.test(value.trim());
}

/** NaN for what is no number. */
function numberOf(value: unknown, decimal?: DecimalMark): number {
  if (typeof value === 'string') {
    if (value.trim() === '') return Number.NaN;
    return decimal === undefined ? Number(value) : (writtenNumber(value, decimal) ?? Number.NaN);
  }
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
}

/** The mark before decimals, where values are no plain numbers and one mark alone makes numbers of them. */
function decimalMark(values: readonly unknown[]): DecimalMark | undefined {
  if (values.length === 0 || values.every((value) => Number.isFinite(numberOf(value)))) return undefined;
  const [mark, ...others] = DECIMAL_MARKS.filter((one) =>
    values.every((value) => Number.isFinite(numberOf(value, one))),
  );
  return others.length === 0 ? mark : undefined;
}

/** Whether a column measures something, so that its different values are no classes. */
function isMeasure({ name, isNumber, isWhole, distinct }: ColumnSurvey): boolean {
  return isNumber && distinct > MOST_CLASS_NUMBERS && !(isWhole && LABEL_NAMES.test(name));
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object'
    ? (JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? '')
    : String(value);
}

/** Which columns hold text or files, class, id and split: by their names, else by what is in them. */
export function chooseColumns(columns: readonly ColumnSurvey[], rows: number): ColumnChoice {
  for (const { name, values } of columns) {
    const modality = modalityOfFiles(values.map(([value]) => value));
    if (!modality) continue;
    const others = columns.filter((column) => column.name !== name);
    const { textField, ...rest } = chooseColumns(others, rows);
    const { labelField, classesField, spansField, numberField } = rest;
    const isLabelled = [labelField, classesField, spansField, numberField].some(
      (field) => field !== undefined,
    );
    const isCaption = modality === 'image' && textField !== undefined && !isLabelled;
    return { files: { field: name, modality, ...(isCaption && { caption: textField }) }, ...rest };
  }
  const text =
    longest(
      columns.filter(({ name, isText, meanLength }) => isText && TEXT_NAMES.test(name) && meanLength > 0),
    ) ??
    longest(columns.filter(({ isText, distinct, filled }) => isText && distinct > filled / 2 && filled > 0));
  const others = columns.filter((column) => column !== text && column.filled > 0);
  const split = others.find(
    ({ name, values }) => SPLIT_NAMES.test(name) && values.every(([value]) => SPLIT_WORDS.test(value.trim())),
  );
  const lists = others.filter(({ several, records }) => records === 'flags' || (several && !records));
  const few = others.filter(
    (column) =>
      column !== split &&
      !column.several &&
      !column.records &&
      !column.hasLists &&
      !isMeasure(column) &&
      !column.values.every(([value]) => DATE.test(value.trim())) &&
      column.distinct >= 2 &&
      column.distinct <= Math.max(20, rows / 10) &&
      column.distinct < column.filled,
  );
  const label =
    few.find(({ name }) => LABEL_NAMES.test(name)) ??
    few.find(({ name }) => LABEL_NAMES_ELSEWHERE.test(name)) ??
    // Without a telling name: where one column alone has few values, or one alone of those has words.
    only(few) ??
    only(few.filter(({ isText }) => isText));
  const classes = label ? undefined : (lists.find(({ name }) => LABEL_NAMES.test(name)) ?? only(lists));
  const spans =
    label || classes
      ? undefined
      : only(others.filter(({ records }) => records === 'spans' || records === 'tags'));
  // A whole number that no two rows share counts the rows.
  const numbers = others.filter(
    (column) =>
      isMeasure(column) &&
      !ID_NAMES.test(column.name) &&
      (NUMBER_NAMES.test(column.name) || !(column.isWhole && column.distinct === column.filled)),
  );
  const number =
    label || classes || spans
      ? undefined
      : (numbers.find(({ name }) => NUMBER_NAMES.test(name)) ?? only(numbers));
  const id = others.find(
    (column) =>
      column !== label &&
      column !== number &&
      ID_NAMES.test(column.name) &&
      column.distinct === rows &&
      column.filled === rows,
  );
  return {
    ...(text && { textField: text.name }),
    ...(label && { labelField: label.name }),
    ...(classes && { classesField: classes.name }),
    ...(spans && { spansField: spans.name }),
    ...(number && { numberField: number.name }),
    ...(id && { idField: id.name }),
    ...(split && { splitField: split.name }),
  };
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

function longest(columns: readonly ColumnSurvey[]): ColumnSurvey | undefined {
  return [...columns].sort((a, b) => b.meanLength - a.meanLength)[0];
}
