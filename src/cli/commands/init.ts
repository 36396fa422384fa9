import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { LimbeckError } from '../../errors.ts';
import { mkdirSync } from '../../platform/files.ts';
import { requireWritableFolder, whyNotWritten } from '../../writable-folder.ts';
import type { Cli } from '../cli.ts';
import type { InitOptions } from '../init/answers.ts';
import { writeResult } from '../json-result.ts';
import { plainLine } from '../progress/format.ts';

const SCHEMA_FILE = fileURLToPath(new URL('../../../recipe.schema.json', import.meta.url));

const GIVE_ANOTHER = 'Give the path of a new file, in a folder that you may write to.';

/** Knows the kinds of recipes where it is meant: to load them takes longer than all the other commands. */
export async function initCommand(cli: Cli): Promise<Command> {
  const kinds = cli.arguments.includes('init') ? await kindsHelp() : '';
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
    .addHelpText(
      'after',
      `${kinds}
Examples:
  limbeck init
  limbeck init mails.yaml --data mails.csv
  limbeck init mails.yaml --data mails.csv --teacher chat --set teacher.baseURL=https://api.openai.com/v1 --set teacher.model=NAME
  limbeck init glosses.yaml --source wordnet-glosses --set data.labelsPerClass=100
  limbeck init mails.yaml --source csv --set data.source.path=mails.csv --teacher none`,
    )
    .action(async (file: string, options: InitOptions) => {
      const path = resolve(cli.workingFolder, file);
      const force = options.force ?? false;
      requirePlace(path, file, force);
      const { answersFrom } = await import('../init/answers.ts');
      const { draftRecipe } = await import('../init/draft.ts');
      const { parseRecipe } = await import('../../recipe/parse.ts');
      const { answers, seen: found } = await answersFrom(cli, path, options);
      const schema = relative(dirname(path), SCHEMA_FILE).split(sep).join('/');
      const first = draftRecipe(answers, schema);
      const { proposePrompts } = await import('../init/propose-prompt.ts');
      const prompts = proposePrompts(parseRecipe(first), dirname(path));
      const seen = [...found, ...prompts.seen];
      const text =
        prompts.set.length > 0
          ? draftRecipe({ ...answers, set: [...answers.set, ...prompts.set] }, schema)
          : first;
      await write(path, text, file, force);
      if (options.json) writeResult(cli, { file: path, seen });
      else
        cli.terminal.out(
          `${seen.map((line) => `${plainLine(line)}\n`).join('')}Wrote ${file}. Next:\n  limbeck check ${file}\n  limbeck plan ${file}\n  limbeck ${answers.teacher ? 'distill' : 'train'} ${file}\n`,
        );
    });
}

async function kindsHelp(): Promise<string> {
  const { kindsOf } = await import('../init/choices.ts');
  const [source, teacher, student] = (['data.source', 'teacher', 'student'] as const).map((section) =>
    kindsOf(section)
      .map(({ value }) => value)
      .join(', '),
  );
  return `
Kinds:
  --source   ${source}
  --teacher  ${teacher}, none
  --student  ${student}
`;
}

/** Before the data are looked into, and before anything is asked. */
function requirePlace(path: string, file: string, force: boolean): void {
  if (existsSync(path)) {
    if (!statSync(path).isFile()) throw unwritable(file, `it is not a file`);
    if (!force) throw existsAlready(file);
  }
  requireWritableFolder(dirname(path), 'cli.usage', GIVE_ANOTHER);
}

async function write(path: string, text: string, file: string, force: boolean): Promise<void> {
  try {
    mkdirSync(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && existsSync(path)) throw existsAlready(file);
    throw unwritable(file, whyNotWritten(path, error), error);
  }
}

function unwritable(where: string, why: string, cause?: unknown): LimbeckError {
  return new LimbeckError('cli.usage', `the recipe cannot be written: ${why}`, {
    where,
    remedy: GIVE_ANOTHER,
    cause,
  });
}

function existsAlready(where: string): LimbeckError {
  return new LimbeckError('cli.file-exists', 'the file exists already', {
    where,
    remedy: 'Give another name, or --force to overwrite it.',
  });
}
