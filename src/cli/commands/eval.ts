import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { EvaluateOptions } from '../../run/api.ts';
import { type AllowPathOptions, allowedPaths, allowPathOption } from '../allow-path.ts';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { kindOf, loadRecipe, requireRunFolder } from '../recipe-file.ts';
import { withProgress } from '../run-options.ts';

interface EvalOptions extends AllowPathOptions {
  split: NonNullable<EvaluateOptions['split']>;
  model?: string;
  json?: boolean;
}

export function evalCommand(cli: Cli): Command {
  return new Command('eval')
    .summary("measure a model on a split of a recipe's data")
    .description('Measures an ONNX file, the student of a run by default, on a split of the data.')
    .argument('<recipe-or-run>', "a recipe (YAML) or a run's folder")
    .addOption(
      new Option('--split <name>', 'the samples to measure on')
        .choices(['train', 'validation', 'test'])
        .default('test'),
    )
    .option('--model <file>', "the ONNX file (or model folder) to measure, instead of the run's student")
    .addOption(allowPathOption())
    .option('--json', 'one JSON object a line on stdout: events, then {"type":"result",...}')
    .addHelpText(
      'after',
      `
Examples:
  limbeck eval runs/glosses
  limbeck eval runs/glosses --model runs/glosses/student/onnx/model_quantized.onnx
  limbeck eval recipe.yaml --split validation`,
    )
    .action(async (target: string, options: EvalOptions) => {
      const path = resolve(cli.workingFolder, target);
      // A folder is a run; everything else is read as a recipe, and refused as one.
      const loaded = (await kindOf(path)) === 'folder' ? undefined : await loadRecipe(cli, target);
      const run = loaded
        ? resolve(cli.workingFolder, join('runs', loaded.recipe.name))
        : await requireRunFolder(target, cli.workingFolder);
      const result = await withProgress(cli, options.json, async (progress, signal) =>
        cli.api.evaluate(loaded ? loaded.recipe : run, {
          split: options.split,
          out: run,
          onEvent: (event) => progress.onEvent(event),
          signal,
          ...(options.model && { model: resolve(cli.workingFolder, options.model) }),
          ...allowedPaths(cli, options),
          ...(loaded && { recipeFolder: loaded.folder }),
        }),
      );
      const { evaluationSummary } = await import('../result-summary.ts');
      if (options.json) writeResult(cli, result);
      else cli.terminal.out(evaluationSummary(result));
    });
}
