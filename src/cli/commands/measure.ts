import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { printable } from '../../printable.ts';
import { RUNTIMES, type RuntimeName } from '../../runtimes/measurement.ts';
import { type AllowPathOptions, allowedPaths, allowPathOption } from '../allow-path.ts';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { drawMeasurement } from '../measurement.ts';
import { withProgress } from '../run-options.ts';
import { sizeArgument } from '../size-argument.ts';

interface CommandOptions extends AllowPathOptions {
  on: RuntimeName[];
  threads?: number;
  seconds?: number;
  limit?: number;
  size?: Record<string, number>;
  json?: boolean;
}

function parseRuntimes(text: string): RuntimeName[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))] as RuntimeName[];
  const unknown = names.find((name) => !RUNTIMES.includes(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`Expected ${RUNTIMES.join(', ')}, or several with commas.`);
  return names;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(text);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError('Expected a number of seconds.');
  return seconds;
}

export function measureCommand(cli: Cli): Command {
  return new Command('measure')
    .summary('time a model in Node, or in a browser by WebAssembly or WebGPU')
    .description(
      "Times a run's student (in each precision, with its test samples), a model's folder or an ONNX file (with made inputs) in the " +
        'runtimes named: latency, throughput, loading, memory, download size. With several, their answers are compared.',
    )
    .argument('<model>', "a run's folder, a model's folder, or an ONNX file")
    .option('--on <runtimes>', 'node, wasm, webgpu, or several with commas', parseRuntimes, [
      'node',
    ] as RuntimeName[])
    .option('--threads <n>', 'threads of the runtime (default: 1)', parseCount)
    .option('--seconds <n>', 'how long each kind of call is timed (default: 2)', parseSeconds)
    .option('--limit <seconds>', 'when a runtime that does not answer is ended (default: 300)', parseSeconds)
    .option(
      '--size <name=n>',
      "a number for one of the model's symbolic sizes; may be repeated",
      sizeArgument,
    )
    .addOption(allowPathOption())
    .option('--json', 'one JSON object a line on stdout: events, then {"type":"result",...}')
    .addHelpText(
      'after',
      `
wasm and webgpu need a Chromium (on the PATH, or LIMBECK_CHROMIUM) and the packages playwright-core and onnxruntime-web. Without
a graphics card WebGPU is computed on the processor: its answers count, its times do not.

Examples:
  limbeck measure runs/glosses
  limbeck measure runs/glosses --on node,wasm,webgpu
  limbeck measure model.onnx --on wasm --threads 2 --size sequence=64`,
    )
    .action(async (model: string, options: CommandOptions) => {
      const { on, threads, seconds, limit, size, json } = options;
      const result = await withProgress(cli, json, async (progress, signal) =>
        cli.api.measureModel(resolve(cli.workingFolder, model), {
          on,
          ...(threads !== undefined && { threads }),
          ...(seconds !== undefined && { seconds }),
          ...(limit !== undefined && { mostSeconds: limit }),
          ...(size && { sizes: size }),
          ...allowedPaths(cli, options),
          onEvent: (event) => progress.onEvent(event),
          signal,
        }),
      );
      if (json) return writeResult(cli, result);
      cli.terminal.out(printable(drawMeasurement(result)));
    });
}
