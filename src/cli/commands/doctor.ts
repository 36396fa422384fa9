import { Command, Option } from 'commander';
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
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export function doctorCommand(cli: Cli): Command {
  return new Command('doctor')
    .summary('say what this machine can do, and what is missing')
    .description(
      'Tells what Limbeck finds here: Node.js, engines (each is really started), cores, memory, disk, packages; and what to do about what is missing. Exits with 1 when something that every run needs is missing.',
    )
    .option('--json', 'the result as one JSON object on stdout')
    .addOption(new Option('--probe-provider <name>').choices([...PROVIDERS]).hideHelp())
    .addHelpText(
      'after',
      `
Example:
  limbeck doctor --json`,
    )
    .action(async (options: { json?: boolean; probeProvider?: ProbedProvider }) => {
      if (options.probeProvider) {
        await probe(cli, options.probeProvider);
        return;
      }
      const checks = await examine(cli);
      const healthy = checks.every(({ status }) => status !== 'problem');
      if (!healthy) cli.exitCode = EXIT.failed;
      if (options.json) writeResult(cli, { version: cli.version, healthy, checks });
      else cli.terminal.out(checkList(checks, cli.terminal));
    });
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
  const [disk, instructions, chromium, ...providers] = await Promise.all([
    checkDisk(cli.workingFolder),
    checkInstructions(),
    checkChromium(),
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
    chromium,
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
