import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { LimbeckError } from '../../errors.ts';
import type { GeneratedText, TextGenerator } from '../../generate/text-generator.ts';
import { printable } from '../../printable.ts';
import { gathered } from '../allow-path.ts';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { parseSeed, withProgress } from '../run-options.ts';

interface CommandOptions {
  maxTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  repetitionPenalty?: number;
  beams?: number;
  stop?: string[];
  seed?: number;
  window?: boolean;
  model?: string;
  json?: boolean;
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('Expected a number.');
  return number;
}

const ENDINGS = {
  end: 'the model ended the text',
  stop: 'ended by --stop',
  length: 'as many tokens as it may have',
} as const;

export function generateCommand(cli: Cli): Command {
  return new Command('generate')
    .summary('let a language model go on from a text')
    .description(
      'Writes what a language model goes on with from a prompt, as it comes. Without options it takes the likeliest token each time; with a temperature, --top-k or --top-p it draws, by --seed.',
    )
    .argument('<run-or-folder>', "a run's folder, or a model's in the layout of Hugging Face")
    .argument('[prompt]', 'what the text begins with; read from stdin when it is left out')
    .option(
      '--max-tokens <n>',
      'tokens at most (default: 256, or as many as there are positions for)',
      parseNumber,
    )
    .option('--temperature <t>', 'below 1 likely tokens become likelier; 0: the likeliest one', parseNumber)
    .option('--top-k <n>', 'draw of the n likeliest tokens', parseNumber)
    .option('--top-p <p>', 'draw of the likeliest tokens that have the probability p together', parseNumber)
    .option(
      '--repetition-penalty <x>',
      'above 1: tokens that are there already become less likely',
      parseNumber,
    )
    .option('--beams <n>', 'look for the likeliest text, following n at once', parseNumber)
    .option('--stop <text>', 'end before this text; may be repeated', gathered)
    .option('--seed <n>', 'of all draws (default: 0)', parseSeed)
    .option('--window', 'go on when positions are used up, reading the last part of the text alone')
    .option('--model <file>', "which of the folder's models (default: onnx/model.onnx)")
    .option('--json', 'one JSON object a line on stdout: each token, then {"type":"result",...}')
    .addHelpText(
      'after',
      `
Examples:
  limbeck generate runs/stories "Once upon a time"
  limbeck generate runs/stories "Once upon a time" --top-p 0.9 --seed 3 --max-tokens 100
  limbeck generate runs/stories --model onnx/model_quantized.onnx < prompt.txt`,
    )
    .action(async (target: string, prompt: string | undefined, options: CommandOptions) => {
      const text = prompt ?? (await promptFromInput(cli));
      const { model, json } = options;
      const generator = await cli.api.openTextGenerator(resolve(cli.workingFolder, target), {
        model,
      });
      try {
        await withProgress(cli, json, async (_, signal) => write(cli, generator, text, options, signal));
      } finally {
        await generator.release();
      }
    });
}

async function write(
  cli: Cli,
  generator: TextGenerator,
  prompt: string,
  options: CommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const { maxTokens, temperature, topK, topP, repetitionPenalty, beams, stop, seed, window, json } = options;
  const settings = {
    ...{ maxNewTokens: maxTokens, temperature, topK, topP, repetitionPenalty, stop, seed, signal },
    ...(window && { whenFull: 'window' as const }),
  };
  const begun = performance.now();
  let result: GeneratedText;
  if (beams !== undefined && beams !== 1) {
    result = await generator.generate(prompt, { ...settings, beams });
    if (!json) cli.terminal.out(printable(result.text));
  } else {
    const made = { text: '', ids: [] as number[], finish: 'length' as GeneratedText['finish'] };
    for await (const { id, text, finish } of generator.stream(prompt, settings)) {
      made.text += text;
      made.ids.push(id);
      if (finish) made.finish = finish;
      if (json) cli.terminal.out(`${JSON.stringify({ type: 'token', id, text })}\n`);
      else cli.terminal.out(printable(text));
    }
    result = made;
  }
  const seconds = (performance.now() - begun) / 1000;
  const { ids, finish, score } = result;
  if (json) {
    writeResult(cli, {
      prompt,
      text: result.text,
      ids,
      finish,
      ...(score !== undefined && { score }),
      seconds,
    });
    return;
  }
  cli.terminal.out('\n');
  const speed = (ids.length / seconds).toFixed(ids.length < 10 * seconds ? 1 : 0);
  cli.terminal.err(`${ids.length} tokens, ${speed} a second; ${ENDINGS[finish]}\n`);
}

/** What comes through stdin, without the line end that closes it. */
async function promptFromInput(cli: Cli): Promise<string> {
  if (cli.terminal.interactive) {
    throw new LimbeckError('cli.no-prompt', 'there is no prompt', {
      where: 'limbeck generate',
      remedy: 'Give a text behind the folder, or one through a pipe.',
    });
  }
  return (await cli.readInput()).replace(/\r?\n$/, '');
}
