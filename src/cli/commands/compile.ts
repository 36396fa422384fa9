import { relative, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { printable } from '../../printable.ts';
import type { CompileOptions, CompileResult } from '../../run/api.ts';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { type KindArgument, parseKindArgument } from '../kind-argument.ts';
import { formatBytes } from '../progress/format.ts';
import { sizeArgument } from '../size-argument.ts';
import { warn } from '../warn.ts';

interface CompileArguments {
  objective: KindArgument[];
  logits?: string;
  size?: Record<string, number>;
  optimizer: KindArgument;
  weightDecay?: number;
  momentum?: number;
  maxGradNorm?: number;
  train?: string[];
  freeze?: string[];
  stepsPerRun?: number;
  out: string;
  parameters?: string;
  forward?: string;
  json?: boolean;
}

const gather = (value: string, before: string[] = []) => [...before, value];

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

export function compileCommand(cli: Cli): Command {
  return new Command('compile')
    .summary('the training step of an ONNX model, as an ONNX model')
    .description(
      'Compiles one training step (forward, loss, backward, update) of a model into an ONNX file that any ONNX Runtime runs: ' +
        'parameters and optimizer state go in and come out. A JSON beside it describes every input and output.',
    )
    .argument('<model>', 'the ONNX file of the model that is to learn')
    .requiredOption(
      '--objective <kind[:options]>',
      'a term of the loss, see below; may be repeated, the loss is their weighted sum',
      (text: string, before: KindArgument[] = []) => [...before, parseKindArgument(text, 'output')],
    )
    .requiredOption('--out <file>', 'the ONNX file to write; its description gets the same name with .json')
    .option('--logits <name>', 'the output that objectives look at (default: logits, or the only output)')
    .option(
      '--size <name=n>',
      "a number for one of the model's symbolic sizes; may be repeated",
      sizeArgument,
    )
    .option(
      '--optimizer <kind[:options]>',
      'adamw, sgd or lion, see below',
      (text) => parseKindArgument(text),
      {
        kind: 'adamw',
      } as KindArgument,
    )
    .option('--weight-decay <n>', "the optimizer's weight decay, for matrices and tables", parseNumber)
    .option('--momentum <n>', "sgd's momentum", parseNumber)
    .option(
      '--max-grad-norm <n>',
      'scale gradients with a larger norm down to it (default: no limit)',
      parseNumber,
    )
    .option('--train <pattern>', 'what learns: initializers by name or pattern (*); may be repeated', gather)
    .option('--freeze <pattern>', 'what does not learn, of those; may be repeated', gather)
    .option(
      '--steps-per-run <k>',
      'training steps in one run, for small models: K batches are fed at once',
      parseNumber,
    )
    .option('--parameters <file>', 'also write the initial values of the parameters (safetensors)')
    .option('--forward <file>', 'also write the model with its parameters as inputs, for evaluation')
    .option('--json', 'one JSON object on stdout: {"type":"result",...}')
    .addHelpText(
      'after',
      `
Objectives (OUTPUT first where it is not the main one, as in labels:logits_b,weight=0.5):
  labels[:smoothing=0]        cross-entropy of logits [batch, ..., classes] with int32 labels
  kd[:temperature=2]          KL divergence to a teacher's logits, which are an input of the step
  mse                         mean squared error to float32 labels of the output's shape
  bce, huber, cosine, tokenLabels, centreFocal, centreSizes     towards labels of other forms
  dkd, dist, mlkd, bceKd, mseKd, huberKd, cosineKd, tokenKd     towards a teacher's answers
  tokenDivergence[:divergence=reverse-kl]     other divergences of a teacher's answers for tokens
  infoNce:outputs=A+B, marginContrastive:outputs=A+B, affinityKd:outputs=A+B     two outputs with each other
  output:NAME                 a loss that the model computes itself
  each with weight=1
Optimizers (the learning rate is an input of the step):
  adamw[:beta1=0.9,beta2=0.999,epsilon=1e-8,weightDecay=0.01]
  sgd[:momentum=0.9,nesterov=false,weightDecay=0.0005]
  lion[:beta1=0.9,beta2=0.99,weightDecay=0.1]
What learns: every float32 initializer that is no setting, mask, statistic or single number, and that the loss
depends on. The JSON lists the others with the reason.

Examples:
  limbeck compile student.onnx --objective labels --size batch=32 --out step.onnx
  limbeck compile bert.onnx --objective kd:temperature=4,weight=0.9 --objective labels:weight=0.1 \\
    --size batch=32 --size sequence=128 --freeze '*embeddings*' --max-grad-norm 1 \\
    --out step.onnx --parameters start.safetensors
  limbeck compile model-with-loss.onnx --objective output:loss --optimizer sgd --momentum 0.9 --out step.onnx

How to train with what it writes: docs/training-step.md`,
    )
    .action(async (model: string, given: CompileArguments) => {
      const result = await cli.api.compile(
        resolve(cli.workingFolder, model),
        compileOptions(given, cli.workingFolder),
      );
      for (const warning of result.warnings) warn(cli, warning);
      if (given.json) writeResult(cli, result);
      else cli.terminal.out(printable(summary(result, cli.workingFolder)));
    });
}

/** The library's options; it checks kinds and values. */
function compileOptions(given: CompileArguments, folder: string): CompileOptions {
  const { weightDecay, momentum } = given;
  const optimizer = { ...given.optimizer, ...defined({ weightDecay, momentum }) };
  return {
    objectives: given.objective as unknown as CompileOptions['objectives'],
    optimizer: optimizer as unknown as NonNullable<CompileOptions['optimizer']>,
    out: resolve(folder, given.out),
    ...defined({
      output: given.logits,
      sizes: given.size,
      maxGradNorm: given.maxGradNorm,
      train: given.train,
      freeze: given.freeze,
      stepsPerRun: given.stepsPerRun,
      parameters: given.parameters && resolve(folder, given.parameters),
      forward: given.forward && resolve(folder, given.forward),
    }),
  };
}

/** Without the keys that have no value. */
function defined<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never;
}

function summary({ files, description, parameters, nodes, bytes }: CompileResult, folder: string): string {
  const { batch, frozen } = description;
  const shown = (path: string) => relative(folder, path) || path;
  const lines = [
    `${shown(files.step)}: ${nodes} nodes, ${formatBytes(bytes)}; ${description.parameters.length} tensors with ${parameters.toLocaleString('en')} numbers learn`,
    `${shown(files.description)}: what goes in and comes out`,
    ...(files.parameters ? [`${shown(files.parameters)}: the initial parameters`] : []),
    ...(files.forward ? [`${shown(files.forward)}: the model, its parameters as inputs`] : []),
    `a batch: ${batch.map(({ name, type, shape }) => `${name} ${type}[${shape.join(', ')}]`).join(', ') || 'nothing'}`,
  ];
  const { buffers } = description;
  if (buffers.length > 0)
    lines.push(`running statistics: ${buffers.length} tensors go from step to step beside the parameters`);
  if (frozen.length > 0) {
    const names = frozen.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`);
    lines.push(
      `not trained: ${names.join(', ')}${frozen.length > 5 ? ` and ${frozen.length - 5} more` : ''}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
