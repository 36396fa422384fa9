import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { LimbeckError } from '../../errors.ts';
import type { Cli } from '../cli.ts';
import type { Check } from '../doctor/check.ts';
import {
  checkCores,
  checkDisk,
  checkInstructions,
  checkMemory,
  checkNode,
} from '../doctor/machine-checks.ts';
import { checkChromium, checkCudaLibraries, checkPackages } from '../doctor/package-checks.ts';
import {
  checkProvider,
  PROVIDERS,
  type ProbedProvider,
  probeFailure,
  probeProvider,
} from '../doctor/provider-checks.ts';
import { EXIT } from '../exit-codes.ts';
import { writeResult } from '../json-result.ts';
import { plainLine } from '../progress/format.ts';
import { loadRecipe } from '../recipe-file.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export function doctorCommand(cli: Cli): Command {
  return new Command('doctor')
    .summary('say what this machine can do, and whether a recipe would run')
    .description(
      'Tells what Limbeck finds here: Node.js, engines (each is really started), cores, memory, disk, packages; and what to do about what is missing. Exits with 1 when something that every run needs is missing. With a recipe it looks instead whether its run would start: its data, its teacher and, of a hosted one, the key, the endpoint and the model, for nothing.',
    )
    .argument('[recipe]', 'a recipe (YAML), to be looked at instead of the machine')
    .option('--online', 'ask a hosted teacher what it can do: a request or two, which are paid')
    .option(
      '--calibrate',
      'measure on this machine how the convolutions of the student are computed fastest, in seconds; long trainings find it',
    )
    .option('--store <dir>', "folder of the knowledge store, instead of the recipe's")
    .option('--json', 'the result as one JSON object on stdout')
    .addOption(new Option('--probe-provider <name>').choices([...PROVIDERS]).hideHelp())
    .addHelpText(
      'after',
      `
Examples:
  limbeck doctor --json
  limbeck doctor recipes/chat-teacher.yaml --online
  limbeck doctor recipes/fashion.yaml --calibrate`,
    )
    .action(async (recipe: string | undefined, options: DoctorOptions) => {
      if (options.probeProvider) {
        await probe(cli, options.probeProvider);
        return;
      }
      if (options.calibrate && recipe === undefined)
        throw new LimbeckError('cli.usage', '--calibrate measures the student of a recipe', {
          remedy: 'Name the recipe: limbeck doctor RECIPE --calibrate.',
        });
      const checks = recipe === undefined ? await examine(cli) : await examineFile(cli, recipe, options);
      const healthy = checks.every(({ status }) => status !== 'problem');
      if (!healthy) cli.exitCode = EXIT.failed;
      if (options.json) writeResult(cli, { version: cli.version, healthy, checks });
      else cli.terminal.out(checkList(checks, cli.terminal));
    });
}

interface DoctorOptions {
  readonly json?: boolean;
  readonly online?: boolean;
  readonly calibrate?: boolean;
  readonly store?: string;
  readonly probeProvider?: ProbedProvider;
}

async function examineFile(
  cli: Cli,
  file: string,
  { online, calibrate, store }: DoctorOptions,
): Promise<Check[]> {
  const { recipe, folder } = await loadRecipe(cli, file);
  const api = cli.api;
  const findings = await api.examineRecipe(recipe, {
    out: resolve(cli.workingFolder, 'runs', recipe.name),
    recipeFolder: folder,
    ...(store !== undefined && { storeFolder: resolve(cli.workingFolder, store) }),
    online: online ?? false,
    calibrate: calibrate ?? false,
    onEvent: (event) => {
      if (event.type === 'log') cli.terminal.err(`${plainLine(event.message)}\n`);
    },
  });
  return findings.map(({ name, status, found, where, remedy }) => ({
    name,
    status,
    found: where === undefined ? found : `${found} (${cli.places?.located(where) ?? where})`,
    ...(remedy !== undefined && { remedy }),
  }));
}

async function probe(cli: Cli, provider: ProbedProvider): Promise<void> {
  try {
    cli.terminal.out(`${await probeProvider(provider)}\n`);
  } catch (error) {
    cli.exitCode = EXIT.failed;
    cli.terminal.err(probeFailure(error));
  }
}

async function examine(cli: Cli): Promise<Check[]> {
  const self = [...process.execArgv, process.argv[1] ?? ''];
  const [disk, instructions, ...providers] = await Promise.all([
    checkDisk(cli.workingFolder),
    checkInstructions(),
    ...PROVIDERS.map((provider) => checkProvider(provider, self)),
  ]);
  const cuda = checkCudaLibraries();
  const checks = [
    checkNode(),
    checkCores(),
    ...(instructions ? [instructions] : []),
    checkMemory(),
    disk,
    ...providers,
    ...(cuda ? [cuda] : []),
    ...checkPackages(),
    checkChromium(),
  ];
  return checks;
}

function checkList(checks: readonly Check[], { outColors }: Terminal): string {
  const marks = { ok: outColors.green('✔'), missing: outColors.dim('–'), problem: outColors.red('✘') };
  const lines = table(
    checks.map(({ name, found }) => [name, plainLine(found)]),
    [0, 1],
  )
    .trimEnd()
    .split('\n');
  return lines
    .map((line, i) => {
      const check = checks[i];
      const remedy = check?.remedy ? `\n    ${outColors.dim(check.remedy)}` : '';
      return `${marks[check?.status ?? 'ok']} ${line}${remedy}\n`;
    })
    .join('');
}
