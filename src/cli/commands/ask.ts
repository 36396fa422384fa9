import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { ChoiceAccuracy, SubjectMean } from '../../metrics/choices/multiple-choice.ts';
import type { Interval } from '../../metrics/interval.ts';
import { percent } from '../../percent.ts';
import type { QuestionsResult } from '../../run/ask-questions.ts';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { parseSeed, withProgress } from '../run-options.ts';
import { table } from '../table.ts';

interface AskOptions {
  count?: number;
  shots?: number;
  seed?: number;
  model?: string;
  json?: boolean;
}

const parseCount = (least: number) => (text: string) => {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= least) return count;
  throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
};

export function askCommand(cli: Cli): Command {
  return new Command('ask')
    .summary('ask a language model questions with choices, by likelihood')
    .description(
      'Asks which of several answers a language model finds likeliest, and tells how often it is right, and how far above guessing. Questions are those of a folder in the form of MMLU (dev/SUBJECT_dev.csv, test/SUBJECT_test.csv), or about nouns of WordNet that a run held out: definitions, hypernyms, examples.',
    )
    .argument('<run-or-folder>', "a run's folder, or a model's in the layout of Hugging Face")
    .argument('<questions>', 'definitions, hypernyms, examples, or a folder')
    .option('--count <n>', 'questions at most (default: 1,000 about WordNet, all of a folder)', parseCount(1))
    .option(
      '--shots <n>',
      'answered questions before each of a folder, as far as they fit (default: 5)',
      parseCount(0),
    )
    .option('--seed <n>', 'draws questions and wrong choices about WordNet (default: 0)', parseSeed)
    .option('--model <file>', "which of the folder's models (default: onnx/model.onnx)")
    .option('--json', 'one JSON object a line on stdout: events, then {"type":"result",...}')
    .addHelpText(
      'after',
      `
Examples:
  limbeck ask runs/lm definitions
  limbeck ask runs/lm hypernyms --count 500 --model onnx/model_quantized.onnx
  limbeck ask ./a-model ./mmlu --shots 0`,
    )
    .action(async (target: string, questions: string, { json, ...options }: AskOptions) => {
      const folder = resolve(cli.workingFolder, questions);
      const result = await withProgress(cli, json, (progress, signal) =>
        cli.api.askQuestions(resolve(cli.workingFolder, target), {
          ...options,
          questions: existsSync(folder) ? folder : questions,
          onEvent: (event) => progress.onEvent(event),
          signal,
        }),
      );
      if (json) writeResult(cli, result);
      else cli.terminal.out(summary(result, existsSync(folder) && options.shots !== 0 && result.shots === 0));
    });
}

/** @param shotless whether answered questions were wanted before each, and none stood before any */
function summary(
  { title, subjects, categories, shots, tooLong, broken, ...all }: QuestionsResult,
  shotless: boolean,
): string {
  const row = (name: string, one: ChoiceAccuracy) => [
    name,
    String(one.questions),
    percent(one.accuracy),
    percent(one.byBytes),
    ...(all.byInformation ? [percent(one.byInformation?.accuracy ?? Number.NaN)] : []),
    percent(one.chance),
    (one.byInformation ?? one).aboveChance.toFixed(3),
  ];
  const rows = [
    ...(subjects.length > 1 ? subjects.map((one) => row(one.subject, one)) : []),
    row('in all', all),
  ];
  const notes = [
    ...(broken.length > 0
      ? [`${broken.length} rows are no questions; the first: ${broken[0]?.where}: ${broken[0]?.problem}.`]
      : []),
    ...(shots ? [`Before each question stood ${shots.toFixed(1)} answered ones in the mean.`] : []),
    ...(shotless ? ['No answered question stood before any: dev/SUBJECT_dev.csv has none that fits.'] : []),
    ...(tooLong > 0 ? [`${tooLong} questions are too long for the model and were not asked.`] : []),
  ];
  const { accuracy, interval } = all.byInformation ?? all;
  const { low, high } = interval;
  const judged = all.byInformation ? ' by what the question adds to their likelihood' : '';
  return [
    table([
      [
        ...['', 'questions', 'right', 'right by bytes'],
        ...(all.byInformation ? ['right by information'] : []),
        ...['by guessing', 'above chance'],
      ],
      ...rows,
    ]),
    `${title}: ${percent(accuracy)} right${judged} (95 % interval: ${percent(low)} to ${percent(high)}), ${percent(all.chance)} by guessing.`,
    ...(subjects.length > 1 ? averages(categories, all) : []),
    ...notes,
    '',
  ].join('\n');
}

/** Over questions and over subjects, for each category and in all. */
function averages(categories: QuestionsResult['categories'], all: ChoiceAccuracy & SubjectMean): string[] {
  const between = ({ low, high }: Interval) => `${percent(low)} to ${percent(high)}`;
  const row = (name: string, one: ChoiceAccuracy & SubjectMean) => [
    name,
    String(one.questions),
    percent(one.accuracy),
    between(one.interval),
    percent(one.subjectMean),
    between(one.subjectMeanInterval),
  ];
  return [
    '',
    table([
      ['', 'questions', 'right over questions', '95 %', 'over subjects', '95 %'],
      ...categories.map((one) => row(one.category, one)),
      row('in all', all),
    ]),
  ];
}
