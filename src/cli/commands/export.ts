import { relative } from 'node:path';
import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { finishGated } from '../gate.ts';
import { formatBytes } from '../progress/format.ts';
import { requireRunFolder } from '../recipe-file.ts';
import { withProgress } from '../run-options.ts';
import { table } from '../table.ts';

export function exportCommand(cli: Cli): Command {
  return new Command('export')
    .summary("write a run's student in the Hugging Face layout again")
    .description(
      'Writes the student of a trained run anew: config.json, tokenizer files, onnx/model.onnx and, through the gate, onnx/model_quantized.onnx.',
    )
    .argument('<run>', "the run's folder")
    .option('--json', 'one JSON object a line on stdout: events, then {"type":"result",...}')
    .addHelpText(
      'after',
      `
Example:
  limbeck export runs/glosses`,
    )
    .action(async (folder: string, options: { json?: boolean }) => {
      const run = await requireRunFolder(folder, cli.workingFolder);
      const result = await withProgress(cli, options.json, async (progress, signal) =>
        cli.api.exportStudent(run, { onEvent: (event) => progress.onEvent(event), signal }),
      );
      const rows = result.files.map(({ path, bytes }) => [path, formatBytes(bytes)]);
      const where = relative(cli.workingFolder, result.folder) || '.';
      await finishGated(cli, options.json, result, `${where}\n${table(rows)}`);
    });
}
