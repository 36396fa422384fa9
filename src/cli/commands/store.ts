import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { LimbeckError } from '../../errors.ts';
import type { KnowledgeStore, SpaceSummary } from '../../knowledge/store.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { writeResult } from '../json-result.ts';
import { formatBytes, formatCount, plainLine } from '../progress/format.ts';
import { kindOf } from '../recipe-file.ts';
import { withProgress } from '../run-options.ts';
import { table } from '../table.ts';

interface StoreOptions {
  store: string;
  json?: boolean;
}

function storeSubcommand(name: string): Command {
  return new Command(name)
    .option('--store <dir>', 'folder of the knowledge store', '.limbeck/store')
    .option('--json', 'the result as one JSON object on stdout');
}

export function storeCommand(cli: Cli): Command {
  return new Command('store')
    .summary("look after the knowledge store, where teachers' answers are kept")
    .description(
      'The knowledge store keeps what teachers answered, so that none is asked twice about the same text. Dropping answers loses nothing but the time to ask again.',
    )
    .addHelpText(
      'after',
      `
Examples:
  limbeck store ls
  limbeck store verify --repair
  limbeck store prune --unused-for 30`,
    )
    .addCommand(lsCommand(cli))
    .addCommand(verifyCommand(cli))
    .addCommand(pruneCommand(cli));
}

function lsCommand(cli: Cli): Command {
  return storeSubcommand('ls')
    .summary('list what is kept, by teacher')
    .action(async (options: StoreOptions) => {
      const spaces = await (await openStore(cli, options)).list();
      if (options.json) writeResult(cli, { spaces });
      else cli.terminal.out(spaces.length > 0 ? spaceTable(spaces) : 'The store is empty.\n');
    });
}

function verifyCommand(cli: Cli): Command {
  return storeSubcommand('verify')
    .summary('check every answer against its checksum')
    .option('--repair', 'drop what is damaged; the next run asks the teacher again')
    .addHelpText('after', '\nExits with 1 when something is damaged and was not repaired.')
    .action(async (options: StoreOptions & { repair?: boolean }) => {
      const store = await openStore(cli, options);
      const repair = options.repair ?? false;
      const spaces = await withProgress(cli, options.json, async (progress, signal) => {
        const finished: { id: string; title: string; checked: number; damaged: number; problem?: string }[] =
          [];
        for await (const { space, checked, total, damaged, done, problem } of store.verify({
          repair,
          signal,
        })) {
          const { id, title } = space;
          progress.onEvent({
            type: 'progress',
            stage: 'label',
            task: title,
            done: checked,
            total,
            unit: 'answers',
          });
          if (done) finished.push({ id, title, checked, damaged, ...(problem !== undefined && { problem }) });
        }
        return finished;
      });
      const sound = spaces.every(({ damaged, problem }) => damaged === 0 && problem === undefined);
      if (!sound && !repair) cli.exitCode = EXIT.failed;
      if (options.json) {
        writeResult(cli, { spaces, sound, repaired: repair && !sound });
        return;
      }
      for (const { title, checked, damaged, problem } of spaces) {
        const state = problem ?? (damaged > 0 ? `${formatCount(damaged)} damaged` : 'sound');
        cli.terminal.out(`${plainLine(title)}: ${formatCount(checked)} answers, ${plainLine(state)}\n`);
      }
      if (spaces.length === 0) cli.terminal.out('The store is empty.\n');
      else if (!sound) {
        cli.terminal.out(
          repair
            ? 'What was damaged is dropped; the next run asks the teacher again.\n'
            : 'limbeck store verify --repair drops what is damaged; the next run asks the teacher again.\n',
        );
      }
    });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (text.trim() === '' || !(days >= 0)) throw new InvalidArgumentError('Expected a number of days.');
  return days;
}

function pruneCommand(cli: Cli): Command {
  return storeSubcommand('prune')
    .summary('drop answers that are no longer wanted')
    .description('Drops the answers for which all given conditions hold; at least one must be given.')
    .option('--unused-for <days>', 'that no run has used for so many days', parseDays)
    .option('--teacher <name>', 'of this teacher: its title, or its hash or the beginning of it')
    .option('--all', 'everything')
    .action(async (options: StoreOptions & { unusedFor?: number; teacher?: string; all?: boolean }) => {
      const { unusedFor, teacher, all } = options;
      if (unusedFor === undefined && teacher === undefined && !all) {
        throw new LimbeckError('cli.usage', 'nothing says what to drop', {
          remedy: 'Give --unused-for DAYS, --teacher NAME, or --all.',
        });
      }
      const store = await openStore(cli, options);
      const dropped = await store.prune({
        ...(unusedFor !== undefined && { unusedForDays: unusedFor }),
        ...(teacher !== undefined && { teacher }),
        ...(all && { all }),
      });
      const bytes = dropped.reduce((total, space) => total + space.bytes, 0);
      if (options.json) writeResult(cli, { dropped, bytes });
      else if (dropped.length === 0) cli.terminal.out('Nothing to drop.\n');
      else cli.terminal.out(`${spaceTable(dropped)}\nDropped; ${formatBytes(bytes)} are free again.\n`);
    });
}

/** What stores have in them: answers by what they are to, what was paid for, what became of teachers, how machines compute. */
const OF_A_STORE = /^([0-9a-f]{32}|paid|teachers|calibrations)$/;

/** None for what is no folder: opening it tells that. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Opens a store that is there: looking must not make one. */
async function openStore(cli: Cli, { store }: StoreOptions): Promise<KnowledgeStore> {
  const folder = resolve(cli.workingFolder, store);
  if ((await kindOf(folder)) === undefined) {
    throw new LimbeckError('cli.no-store', 'there is no knowledge store', {
      where: store,
      remedy: 'Give its folder with --store DIR; `limbeck distill` and `limbeck label` make one.',
    });
  }
  const names = await namesIn(folder);
  if (names.length > 0 && !names.some((name) => OF_A_STORE.test(name))) {
    const inside = names.includes('store') ? join(store, 'store') : undefined;
    throw new LimbeckError('cli.no-store', 'there is no knowledge store in this folder', {
      where: store,
      remedy: inside ? `Did you mean --store ${inside}?` : 'Give the folder of a store with --store DIR.',
    });
  }
  return cli.api.KnowledgeStore.open(folder);
}

function spaceTable(spaces: readonly SpaceSummary[]): string {
  const rows = spaces.map(({ title, tap, teacher, samples, bytes, encoding, lastUsed, problem }) => [
    plainLine(title),
    plainLine(tap),
    plainLine(teacher).slice(0, 12),
    formatCount(samples),
    encoding,
    formatBytes(bytes),
    lastUsed.toISOString().slice(0, 10),
    problem === undefined ? '' : plainLine(problem),
  ]);
  const head = ['teacher', 'what', 'hash', 'answers', 'kept as', 'size', 'last used', ''];
  return table([head, ...rows], [0, 1, 2, 4, 7]);
}
