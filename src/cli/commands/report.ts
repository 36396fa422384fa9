import { relative } from 'node:path';
import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { requireRunFolder } from '../recipe-file.ts';

export function reportCommand(cli: Cli): Command {
  return new Command('report')
    .summary("write a run's report.html again")
    .description("Writes report.html anew from what the run's folder holds; nothing is measured again.")
    .argument('<run>', "the run's folder")
    .option('--json', 'the result as one JSON object on stdout')
    .addHelpText(
      'after',
      `
Example:
  limbeck report runs/glosses`,
    )
    .action(async (folder: string, options: { json?: boolean }) => {
      const run = await requireRunFolder(folder, cli.workingFolder);
      const result = await cli.api.writeReport(run);
      if (options.json) writeResult(cli, result);
      else cli.terminal.out(`${relative(cli.workingFolder, result.file)}\n`);
    });
}
