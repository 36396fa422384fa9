import { resolve } from 'node:path';
import { Command } from 'commander';
import { printable } from '../../printable.ts';
import type { Cli } from '../cli.ts';
import { drawInspection } from '../inspection.ts';
import { writeResult } from '../json-result.ts';
import { sizeArgument } from '../size-argument.ts';

interface CommandOptions {
  all?: boolean;
  match?: string;
  size?: Record<string, number>;
  json?: boolean;
}

export function inspectCommand(cli: Cli): Command {
  return new Command('inspect')
    .summary('list what an ONNX model has to offer: layers, attention maps, hidden states')
    .description(
      'Lists the inputs and outputs of an ONNX model, its layers as they are found in its graph (attention maps, hidden ' +
        'states, feature maps), and taps to paste into a recipe. Fused attention is taken apart first.',
    )
    .argument('<model>', 'an ONNX file')
    .option('--all', 'every value, with its type, shape and operator')
    .option('--match <pattern>', 'the values whose names fit; * stands for any characters')
    .option(
      '--size <name=n>',
      "a number for one of the model's symbolic sizes; may be repeated",
      sizeArgument,
    )
    .option('--json', 'the result as {"type":"result",...} on stdout')
    .addHelpText(
      'after',
      `
Layers are numbered from 0, as knowledge.layers counts them. 'attributed' is the value that input attributions are told
of: pixels, or the embeddings of the tokens. Names in knowledge.taps are names of this list; docs/taps.md has more.

Examples:
  limbeck inspect teacher.onnx
  limbeck inspect teacher.onnx --match '*attention*'
  limbeck inspect resnet.onnx --size height=224 --size width=224 --json`,
    )
    .action(async (model: string, { all, match, size, json }: CommandOptions) => {
      const inspection = await cli.api.inspectModel(resolve(cli.workingFolder, model), {
        ...(size && { sizes: size }),
        ...((all || match !== undefined) && { match: match ?? '*' }),
      });
      if (json) return writeResult(cli, inspection);
      cli.terminal.out(printable(drawInspection(inspection, Math.max(80, cli.terminal.columns()))));
    });
}
