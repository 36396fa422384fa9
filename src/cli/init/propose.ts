import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { type FileSurvey, surveyFile } from '../../data/survey/survey-file.ts';
import { LimbeckError } from '../../errors.ts';
import { formatCount, plainLine } from '../progress/format.ts';
import { PAIRS_TASK, pairSettings } from './pair-settings.ts';
import type { Proposal, Wishes } from './proposal.ts';
import { proposeAnswer } from './propose-answer.ts';
import { proposeBoxes } from './propose-boxes.ts';
import { proposeCoco } from './propose-coco.ts';

export type { Proposal, Wishes } from './proposal.ts';

/** The sentence encoder reads no more. */
const MOST_TOKENS = 128;

/**
 * Looks at a file or folder of data and proposes how a recipe reads it.
 *
 * @param path absolute
 * @param written the path as the recipe is to have it
 * @throws LimbeckError `data.missing`, `data.wrong-format`; `cli.no-text` where no column looks like text; `cli.no-answer` where
 *   nothing says what a model is to answer
 */
export async function proposeSource(
  path: string,
  written: string,
  wishes: Wishes = { saysAnswer: false },
): Promise<Proposal> {
  const listed = await proposeCoco(path, written);
  if (listed) return listed;
  const survey = await surveyFile(path);
  const { kind, options, rows, notes } = survey;
  switch (kind) {
    case 'idx':
      return {
        source: { kind, path: written, ...options },
        set: [],
        seen: ['a folder of images in IDX files', ...notes],
      };
    case 'image-folder':
    case 'audio-folder': {
      const { inputs, seen } = proposeFiles(survey, kind === 'image-folder' ? 'image' : 'audio');
      return { source: { kind, path: written }, set: inputsSet(inputs), seen: [...seen, ...notes] };
    }
    case 'text-folder': {
      const lengths = await tokenLengths(survey.texts);
      return {
        source: { kind, path: written, ...options },
        set: lengthSet(lengths),
        seen: [
          'a folder of texts, a subfolder for each class',
          ...(lengths ? [`texts: ${inTokens(lengths)}`] : []),
          ...notes,
        ],
      };
    }
  }
  if (rows === 0) {
    throw new LimbeckError('cli.no-text', 'the file has no rows', {
      where: path,
      remedy: 'Name a file with rows; a header alone is none.',
    });
  }
  return proposeBoxes(survey, written) ?? (await proposeTable(survey, written, wishes));
}

/** What a table proposes, by the columns that were chosen. */
export async function proposeTable(survey: FileSurvey, written: string, wishes: Wishes): Promise<Proposal> {
  const { choice, columns } = survey;
  if (choice.files) return proposeManifest(survey, written, wishes);
  const { textField } = choice;
  if (textField === undefined) {
    throw new LimbeckError('cli.no-text', 'no column looks like text', {
      where: `${written}: ${columns.map(({ name }) => plainLine(name)).join(', ') || 'no rows'}`,
      remedy: 'Name it: --set data.source.textField=NAME, with --source and --set data.source.path.',
    });
  }
  const lengths = await tokenLengths(survey.texts);
  const answer = proposeAnswer(survey, 'text', wishes);
  return {
    ...answer,
    source: { ...sourceOf(survey, written), textField, ...answer.source },
    set: [...lengthSet(lengths), ...answer.set],
    seen: [
      ...seenOf(survey),
      `text: ${plainLine(textField)}${lengths ? `, ${inTokens(lengths)}` : ''}`,
      ...answer.seen,
      ...seenBeside(survey),
    ],
    survey,
  };
}

/** A table that names files: of images, or of audio. */
function proposeManifest(survey: FileSurvey, written: string, wishes: Wishes): Proposal {
  const { field, modality, caption } = survey.choice.files as NonNullable<FileSurvey['choice']['files']>;
  const { inputs, seen } = proposeFiles(survey, field);
  const source = sourceOf(survey, written);
  const before = [...seenOf(survey), ...seen];
  if (caption !== undefined && !wishes.saysAnswer) {
    return {
      source,
      task: PAIRS_TASK,
      set: pairSettings({ text: { modality: 'text', field: caption }, ...inputs }),
      seen: [...before, `texts that belong to the images: ${plainLine(caption)}`, ...seenBeside(survey)],
    };
  }
  const answer = proposeAnswer(survey, modality, wishes);
  return {
    ...answer,
    source: { ...source, ...answer.source },
    set: [...inputsSet(inputs), ...answer.set],
    seen: [...before, ...answer.seen, ...seenBeside(survey)],
  };
}

/** A table as a recipe's source, without the columns of its inputs and answers. */
function sourceOf({ kind, options, choice }: FileSurvey, written: string): Proposal['source'] {
  const { idField, splitField } = choice;
  return { kind, path: written, ...options, ...(idField && { idField }), ...(splitField && { splitField }) };
}

const NAMES: Readonly<Record<string, string>> = { csv: 'CSV', jsonl: 'JSON lines', parquet: 'Parquet' };

function seenOf({ kind, options, more, rows, notes, columns }: FileSurvey): string[] {
  const { delimiter } = options;
  const divided = delimiter ? `, divided by ${delimiter === '\t' ? 'tabs' : `'${delimiter}'`}` : '';
  return [
    `${NAMES[kind]}${divided}: ${more ? 'the first ' : ''}${formatCount(rows)} rows`,
    ...notes,
    `columns: ${columns.map(({ name }) => plainLine(name)).join(', ')}`,
  ];
}

function seenBeside({ choice: { splitField, idField } }: FileSurvey): string[] {
  return [
    ...(splitField ? [`split: ${plainLine(splitField)}`] : []),
    ...(idField ? [`id: ${plainLine(idField)}`] : []),
  ];
}

function inputsSet(inputs: Readonly<Record<string, object>>): string[] {
  return [`inputs=${JSON.stringify(inputs)}`];
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

interface Lengths {
  readonly median: number;
  readonly most: number;
  /** Tokens that a recipe keeps; it cuts one text of a hundred. */
  readonly proposed: number;
}

function lengthSet(lengths: Lengths | undefined): string[] {
  return lengths && lengths.proposed !== 64 ? [`data.maxLength=${lengths.proposed}`] : [];
}

function inTokens({ median, most }: Lengths): string {
  return `half of them up to ${median} tokens, 95 % up to ${most}`;
}

/** How long the texts are for the sentence encoder. */
async function tokenLengths(texts: readonly string[]): Promise<Lengths | undefined> {
  if (texts.length === 0) return undefined;
  const tokenizer = await useLiteTokenizer();
  const lengths = texts.map((text) => tokenizer.encode(text).length).sort((a, b) => a - b);
  const at = (share: number) =>
    lengths[Math.min(lengths.length - 1, Math.floor(share * lengths.length))] ?? 0;
  const proposed = Math.min(MOST_TOKENS, Math.max(16, Math.ceil(at(0.99) / 8) * 8));
  return { median: at(0.5), most: at(0.95), proposed };
}
