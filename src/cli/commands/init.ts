import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { LimbeckError } from '../../errors.ts';
import { taskOf } from '../../recipe/misplaced-kinds.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Cli } from '../cli.ts';
import { kindsOf } from '../init/choices.ts';
import { type Answers, draftRecipe } from '../init/draft.ts';
import { PAIRS_TASK, pairSettings } from '../init/pair-settings.ts';
import { proposeSource, type Wishes } from '../init/propose.ts';
import { writeResult } from '../json-result.ts';
import { plainLine } from '../progress/format.ts';

interface InitOptions {
  data?: string;
  name?: string;
  source?: string;
  teacher?: string;
  student?: string;
  set?: string[];
  force?: boolean;
  json?: boolean;
}

const SCHEMA_FILE = fileURLToPath(new URL('../../../recipe.schema.json', import.meta.url));

export function initCommand(cli: Cli): Command {
  return new Command('init')
    .summary('write a recipe')
    .description(
      'Writes a recipe with a comment on every key. It looks into the data that --data names, and proposes what it finds there: separator, encoding, columns, classes, lengths. In a terminal it asks a few questions, unless --data or --source is given; without a terminal it takes the options.',
    )
    .argument('[file]', 'where to write it', 'recipe.yaml')
    .option('--name <name>', "the recipe's name (default: the file's)")
    .option(
      '--data <path>',
      'a file (CSV, JSON lines, Parquet, annotations of COCO) or folder of data, from which the recipe is proposed',
    )
    .option('--source <kind>', 'where the data is (default: wordnet-glosses, which comes with Limbeck)')
    .option(
      '--teacher <kind>',
      'who teaches, or none for `limbeck train` (default: use-lite; none for images and audio)',
    )
    .option('--student <kind>', 'who is taught (default: text-conv; resnet for images, audio-conv for audio)')
    .option(
      '--set <key.path=value>',
      'any other key of the recipe; may be repeated',
      (value: string, before: string[] = []) => [...before, value],
    )
    .option('--force', 'overwrite an existing file')
    .option('--json', 'the result as one JSON object on stdout')
    .addHelpText('after', () => {
      const kinds = (section: Parameters<typeof kindsOf>[0]) =>
        kindsOf(section)
          .map(({ value }) => value)
          .join(', ');
      return `
Kinds:
  --source   ${kinds('data.source')}
  --teacher  ${kinds('teacher')}, none
  --student  ${kinds('student')}

Examples:
  limbeck init
  limbeck init mails.yaml --data mails.csv
  limbeck init mails.yaml --data mails.csv --teacher chat --set teacher.baseURL=https://api.openai.com/v1 --set teacher.model=NAME
  limbeck init glosses.yaml --source wordnet-glosses --set data.labelsPerClass=100
  limbeck init mails.yaml --source csv --set data.source.path=mails.csv --teacher none`;
    })
    .action(async (file: string, options: InitOptions) => {
      const path = resolve(cli.workingFolder, file);
      const { answers, seen } = await answersFrom(cli, path, options);
      const schema = relative(dirname(path), SCHEMA_FILE).split(sep).join('/');
      await write(path, draftRecipe(answers, schema), file, options.force ?? false);
      if (options.json) writeResult(cli, { file: path, seen });
      else
        cli.terminal.out(
          `${seen.map((line) => `${plainLine(line)}\n`).join('')}Wrote ${file}. Next:\n  limbeck check ${file}\n  limbeck plan ${file}\n  limbeck ${answers.teacher ? 'distill' : 'train'} ${file}\n`,
        );
    });
}

/** Who is taught where nothing else is said; of other tasks the first that there is. */
const STUDENTS: Readonly<Record<string, string>> = {
  'text-classification': 'text-conv',
  'image-classification': 'resnet',
};

function firstStudent(task: Recipe['task']): string {
  return kindsOf('student', task)[0]?.value ?? 'text-conv';
}

/** Settings by which a person says themselves what is answered. */
const ANSWERS = /^\s*(data\.source\.labelField|outputs)\b/;

async function answersFrom(
  cli: Cli,
  path: string,
  options: InitOptions,
): Promise<{ answers: Answers; seen: string[] }> {
  const name =
    options.name ??
    (basename(path, extname(path))
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') ||
      'recipe');
  const set = options.set ?? [];
  const wishes: Wishes = { teacher: options.teacher, saysAnswer: set.some((one) => ANSWERS.test(one)) };
  const propose = (data: string) => {
    const absolute = resolve(cli.workingFolder, data);
    return proposeSource(absolute, relative(dirname(path), absolute).split(sep).join('/'), wishes);
  };
  if (options.data !== undefined && options.source !== undefined) {
    throw new LimbeckError('cli.usage', '--data finds out what --source says', {
      where: 'limbeck init',
      remedy: 'Give one of the two.',
    });
  }
  if (cli.terminal.interactive && !options.source && !options.data && !options.json) {
    const { askAnswers } = await import('../init/ask.ts');
    return { answers: await askAnswers({ name, set }, propose), seen: [] };
  }
  const proposal = options.data === undefined ? undefined : await propose(options.data);
  const source = proposal?.source ?? { kind: options.source ?? 'wordnet-glosses' };
  // A source of images may have texts too: the student says whether both are read.
  const wantsPairs =
    proposal?.task === PAIRS_TASK ||
    (options.student !== undefined && taskOf(options.student) === PAIRS_TASK);
  const task = wantsPairs ? PAIRS_TASK : (proposal?.task ?? taskOf(source.kind));
  const usual = proposal?.student ?? STUDENTS[task] ?? firstStudent(task);
  const student = options.student ?? usual;
  const teacher =
    options.teacher ?? proposal?.teacher ?? (task === 'text-classification' ? 'use-lite' : 'none');
  const proposed = proposal?.set ?? (wantsPairs ? pairSettings() : []);
  const answers: Answers = {
    name,
    source,
    task,
    teacher: teacher === 'none' ? undefined : teacher,
    student,
    labelsPerClass: 'all',
    set: [...proposed.filter((one) => student === usual || !one.startsWith('student.')), ...set],
  };
  return { answers, seen: proposal?.seen ?? [] };
}

async function write(path: string, text: string, file: string, force: boolean): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EROFS' || code === 'EISDIR') {
      throw new LimbeckError('cli.usage', `the recipe cannot be written: ${(error as Error).message}`, {
        where: file,
        remedy: 'Give the path of a new file, in a folder that you may write to.',
        cause: error,
      });
    }
    if (code !== 'EEXIST') throw error;
    throw new LimbeckError('cli.file-exists', 'the file exists already', {
      where: file,
      remedy: 'Give another name, or --force to overwrite it.',
    });
  }
}
