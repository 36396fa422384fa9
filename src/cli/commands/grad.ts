import { relative, resolve } from 'node:path';
import { Command } from 'commander';
import { printable } from '../../printable.ts';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { warn } from '../warn.ts';

interface GradOptions {
  loss: string;
  out: string;
  wrt?: string[];
  json?: boolean;
}

export function gradCommand(cli: Cli): Command {
  return new Command('grad')
    .summary('write an ONNX model that computes the gradients of another')
    .description(
      'Writes an ONNX model with the same inputs, whose outputs are the loss and `grad/NAME` for every float ' +
        'initializer NAME that the loss depends on. It runs in any ONNX Runtime.',
    )
    .argument('<model>', 'an ONNX file')
    .requiredOption('--loss <name>', 'the float scalar to differentiate: an output, or any value inside')
    .requiredOption('--out <file>', 'the ONNX file to write')
    .option(
      '--wrt <names...>',
      'differentiate by these instead: names of inputs, initializers or values inside',
    )
    .option('--json', 'the result as {"type":"result",...} on stdout')
    .addHelpText(
      'after',
      `
Initializers that get no gradient have no output; they are listed on stderr with the reason, loudly where they are most of
the model. Where none gets one, nothing is written and the exit code is 1.
Any loss of your own: end the model with it (a ReduceMean over all axes, say) and name it.

Examples:
  limbeck grad model.onnx --loss loss --out grad.onnx
  limbeck grad classifier.onnx --loss score --wrt pixel_values --out saliency.onnx`,
    )
    .action(async (model: string, options: GradOptions) => {
      const { loss, wrt } = options;
      const result = await cli.api.differentiate(resolve(cli.workingFolder, model), {
        loss,
        out: resolve(cli.workingFolder, options.out),
        ...(wrt && { wrt }),
      });
      if (result.warning) warn(cli, result.warning);
      if (options.json) return writeResult(cli, result);
      const file = relative(cli.workingFolder, result.file) || result.file;
      const { differentiated, nodes } = result;
      const gradients = differentiated.length === 1 ? '1 gradient' : `${differentiated.length} gradients`;
      cli.terminal.out(printable(`${file}: ${loss} and ${gradients}, ${nodes} nodes\n`));
    });
}
