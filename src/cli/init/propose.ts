import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { type FileSurvey, surveyFile } from '../../data/survey/survey-file.ts';
import { LimbeckError } from '../../errors.ts';
import { formatCount, plainLine } from '../progress/format.ts';
import { PAIRS_TASK, pairSettings } from './pair-settings.ts';
import type { Proposal } from './proposal.ts';
import { proposeBoxTable, proposeCoco } from './propose-boxes.ts';

export type { Proposal } from './proposal.ts';

/** The sentence encoder reads no more. */
const MOST_TOKENS = 128;
const SHOWN_CLASSES = 8;

/**
 * Looks at a file or folder of data and proposes how a recipe reads it.
 *
 * @param path absolute
 * @param written the path as the recipe is to have it
 * @throws LimbeckError `data.missing`, `data.wrong-format`; `cli.no-text` where no column looks like text
 */
export async function proposeSource(path: string, written: string): Promise<Proposal> {
  const listed = proposeCoco(path, written);
  if (listed) return { ...listed, survey: { columns: [], choice: {} } };
  const survey = await surveyFile(path);
  const boxes = proposeBoxTable(survey, written);
  if (boxes) return { ...boxes, survey: { columns: [], choice: {} } };
  const { kind, options, choice, columns, rows, more, notes } = survey;
  if (kind === 'idx') {
    const seen = ['a folder of images in IDX files', ...notes];
    return { source: { kind, path: written, ...options }, set: [], seen, survey };
  }
  if (kind === 'image-folder' || kind === 'audio-folder') {
    const { inputs, seen } = proposeFiles(survey, kind === 'image-folder' ? 'image' : 'audio');
    const set = [`inputs=${JSON.stringify(inputs)}`];
    return { source: { kind, path: written }, set, seen: [...seen, ...notes], survey };
  }
  const lengths = await tokenLengths(survey.texts);
  const set = lengths && lengths.proposed !== 64 ? [`data.maxLength=${lengths.proposed}`] : [];
  const inTokens = lengths ? `half of them up to ${lengths.median} tokens, 95 % up to ${lengths.most}` : '';
  if (kind === 'text-folder') {
    const seen = [
      'a folder of texts, a subfolder for each class',
      ...(inTokens ? [`texts: ${inTokens}`] : []),
      ...notes,
    ];
    return { source: { kind, path: written, ...options }, set, seen, survey };
  }
  if (rows === 0) {
    throw new LimbeckError('cli.no-text', 'the file has no rows', {
      where: path,
      remedy: 'Name a file with rows; a header alone is none.',
    });
  }
  if (choice.files) return proposeManifest(survey, written, choice.files.field);
  if (choice.textField === undefined) {
    throw new LimbeckError('cli.no-text', 'no column looks like text', {
      where: `${path}: ${columns.map(({ name }) => name).join(', ') || 'no rows'}`,
      remedy: 'Name it: --set data.source.textField=NAME, with --source and --set data.source.path.',
    });
  }
  const { classesField, ...single } = choice;
  const fields = Object.fromEntries(Object.entries(single).filter(([, name]) => name !== undefined));
  if (classesField !== undefined) set.push(...classesSet(survey, classesField));
  const seen = [
    `${NAMES[kind as keyof typeof NAMES]}${options.delimiter ? `, divided by ${options.delimiter === '\t' ? 'tabs' : `'${options.delimiter}'`}` : ''}: ${more ? 'the first ' : ''}${formatCount(rows)} rows`,
    ...notes,
    `columns: ${columns.map(({ name }) => plainLine(name)).join(', ')}`,
    `text: ${plainLine(choice.textField)}${inTokens && `, ${inTokens}`}`,
    classesField === undefined ? labelLine(survey) : classesLine(survey, classesField),
    ...(choice.splitField ? [`split: ${plainLine(choice.splitField)}`] : []),
    ...(choice.idField ? [`id: ${plainLine(choice.idField)}`] : []),
  ];
  return { source: { kind, path: written, ...options, ...fields }, set, seen, survey };
}

/** A table that names files: of images, or of audio. */
function proposeManifest(survey: FileSurvey, written: string, field: string): Proposal {
  const { kind, options, choice, notes, columns, rows, more } = survey;
  const { files, ...chosen } = choice;
  const { inputs, seen } = proposeFiles(survey, field);
  const caption = files?.caption;
  return {
    source: { kind, path: written, ...options, ...chosen },
    ...(caption === undefined
      ? {
          task: files?.modality === 'audio' ? 'audio-classification' : 'image-classification',
          set: [`inputs=${JSON.stringify(inputs)}`],
        }
      : {
          task: PAIRS_TASK,
          set: pairSettings({ text: { modality: 'text', field: caption }, ...inputs }),
        }),
    seen: [
      `${NAMES[kind as keyof typeof NAMES]}: ${more ? 'the first ' : ''}${formatCount(rows)} rows`,
      ...notes,
      `columns: ${columns.map(({ name }) => plainLine(name)).join(', ')}`,
      ...seen,
      caption === undefined ? labelLine(survey) : `texts that belong to the images: ${plainLine(caption)}`,
    ],
    survey,
  };
}

/** Sizes that images are brought to: icons, small and usual inputs of image models. */
const SIZES = [32, 64, 96, 128, 160, 224];

/** How the files of a column are read. */
function proposeFiles(
  { files, kind }: FileSurvey,
  field: string,
): Pick<Proposal, 'seen'> & { readonly inputs: Readonly<Record<string, object>> } {
  const isFolder = kind === 'image-folder' || kind === 'audio-folder';
  const modality = files?.modality ?? 'image';
  const { sizes = [], broken = 0 } = files ?? {};
  const at = (share: number) => sizes[Math.min(sizes.length - 1, Math.floor(share * sizes.length))];
  const what = modality === 'image' ? 'images' : 'audio files';
  const [median = 0, most = 0] = [at(0.5), at(0.95)];
  const options =
    modality === 'image'
      ? { size: SIZES.findLast((size) => size <= median) ?? SIZES[0] }
      : { seconds: Math.max(0.5, Math.ceil(most * 2) / 2) };
  const measured =
    sizes.length === 0
      ? 'none of those looked at could be read'
      : modality === 'image'
        ? `half of them have a shorter side of ${formatCount(median)} pixels at most; all are brought to ${options.size}x${options.size}`
        : `half of them last ${median.toFixed(1)} seconds at most, 95 % ${most.toFixed(1)}; all are brought to ${options.seconds} seconds`;
  return {
    inputs: { [modality]: { modality, field, ...options } },
    seen: [
      `${isFolder ? `a folder of ${what}, a subfolder for each class` : `${what}: ${plainLine(field)}`}: ${measured}`,
      ...(broken > 0 ? [`${broken} of ${broken + sizes.length} files cannot be read`] : []),
    ],
  };
}

const NAMES = { csv: 'CSV', jsonl: 'JSON lines', parquet: 'Parquet' } as const;

function labelLine({ columns, choice, rows }: FileSurvey): string {
  const label = columns.find(({ name }) => name === choice.labelField);
  if (!label) {
    const few = columns
      .filter(({ name, distinct, filled }) => name !== choice.textField && distinct >= 2 && distinct < filled)
      .map(({ name, distinct }) => `${plainLine(name)}: ${formatCount(distinct)} values`);
    const candidates = few.length > 0 ? ` beyond doubt (${few.join(', ')})` : '';
    return `class: no column looks like one${candidates}; name it with --set data.source.labelField=COLUMN; without it only a teacher that knows its classes can label`;
  }
  const classes = label.values
    .slice(0, SHOWN_CLASSES)
    .map(([value, count]) => `${plainLine(value)} (${formatCount(count)})`);
  const others = label.distinct > SHOWN_CLASSES ? ` and ${label.distinct - SHOWN_CLASSES} more` : '';
  const without = label.filled < rows ? `; ${formatCount(rows - label.filled)} rows have none` : '';
  return `class: ${plainLine(label.name)}, ${label.distinct} classes: ${classes.join(', ')}${others}${without}`;
}

/** Settings for a column of several classes a row. */
function classesSet({ columns }: FileSurvey, field: string): string[] {
  const separator = columns.find(({ name }) => name === field)?.several?.separator;
  const output = { target: 'classes', field, ...(separator && { separator }) };
  return [
    `outputs=${JSON.stringify({ logits: output })}`,
    `objective=${JSON.stringify([
      { kind: 'bceKd', output: 'logits', weight: 0.7 },
      { kind: 'bce', output: 'logits', weight: 0.3 },
    ])}`,
  ];
}

function classesLine({ columns, rows }: FileSurvey, field: string): string {
  const column = columns.find(({ name }) => name === field);
  const { names = [], distinct = 0 } = column?.several ?? {};
  const shown = names
    .slice(0, SHOWN_CLASSES)
    .map(([name, count]) => `${plainLine(name)} (${formatCount(count)})`);
  const others = distinct > SHOWN_CLASSES ? ` and ${distinct - SHOWN_CLASSES} more` : '';
  const without =
    column && column.filled < rows ? `; ${formatCount(rows - column.filled)} rows have none` : '';
  return `classes: ${plainLine(field)}, any of ${formatCount(distinct)} a row: ${shown.join(', ')}${others}${without}`;
}

/** How long the texts are for the sentence encoder; the proposal cuts one of a hundred. */
async function tokenLengths(
  texts: readonly string[],
): Promise<{ median: number; most: number; proposed: number } | undefined> {
  if (texts.length === 0) return undefined;
  const tokenizer = await useLiteTokenizer();
  const lengths = texts.map((text) => tokenizer.encode(text).length).sort((a, b) => a - b);
  const at = (share: number) =>
    lengths[Math.min(lengths.length - 1, Math.floor(share * lengths.length))] ?? 0;
  const proposed = Math.min(MOST_TOKENS, Math.max(16, Math.ceil(at(0.99) / 8) * 8));
  return { median: at(0.5), most: at(0.95), proposed };
}
