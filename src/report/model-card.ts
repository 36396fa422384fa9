import { stringify } from 'yaml';
import { fileOf, PRECISIONS } from '../export/precisions.ts';
import { accuracyInterval } from '../metrics/interval.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import { type ClassAnswers, confusedPairs } from './class-answers.ts';
import { compressionLines } from './compression.ts';
import { baselinesOf, headlineOf, studentHeadline, worthOf } from './conclusion.ts';
import { exitLines } from './exits-result.ts';
import { bytes, capital, decimal, milliseconds, percent, quantity } from './html/format.ts';
import { mixedLines } from './layer-precisions.ts';
import { shownValue } from './main-metric.ts';
import { isDistillReport, type ReportData } from './report-data.ts';
import {
  type FurtherResult,
  int8Ships,
  type ModelResult,
  metricValue,
  shippingPrecisions,
  shortName,
} from './result.ts';
import { runtimeLines } from './runtime-sentences.ts';
import { slowerInt8 } from './slower-int8.ts';

/** What a model card says that no report knows. */
export interface ModelCardFacts {
  /** The pipeline tag of the recipe; that of a class of each sample when absent. */
  task?: string;
  /** SPDX identifier in the hub's spelling, e.g. `apache-2.0`. */
  license: string;
  /** ISO 639 codes of the texts' languages, e.g. `['en']`; left out of the card when there are none. */
  languages: readonly string[];
  /** Names on the hub of the data sets, when they are there. */
  datasets?: string[];
  /** Tokens after which a text is cut. */
  maxLength?: number;
  /** Names of the two texts of a sample, where it is a pair. */
  pair?: readonly [string, string];
}

/**
 * README.md of the student's folder, as the Hugging Face hub reads it: metadata in front, then what the model is,
 * how it does beside its teacher and its baseline, how to use it in transformers.js, its limits, and how to
 * make it again.
 */
export function renderModelCard(data: ReportData, facts: ModelCardFacts): string {
  const classes = classAnswersOf(data);
  const sections = [
    introduction(data, classes),
    results(data, classes),
    usage(data, facts, classes),
    limits(data, facts, classes),
    reproduction(data),
  ];
  return `---
${stringify(metadata(data, facts))}---

# ${inline(data.name)}

${sections.filter((section) => section !== '').join('\n\n')}
`;
}

/** What models that answer with one class a sample said; undefined of others. */
function classAnswersOf({ outputs }: ReportData): ClassAnswers | undefined {
  return outputs[0]?.section?.find((block) => block.block === 'classes');
}

/** The hub's names of metrics, where they are not ours. */
const HUB_METRICS: Readonly<Record<string, string>> = { macroF1: 'f1' };

function metadata(data: ReportData, facts: ModelCardFacts): Record<string, unknown> {
  const { student, metrics } = data.result;
  const studentInt8 = int8Ships(data.result) ? data.result.studentInt8 : null;
  const task = taskOf(data, facts);
  const measuredBy = (model: ModelResult) =>
    metrics.flatMap((metric) => {
      const type = HUB_METRICS[metric.name] ?? metric.name;
      const value = metricValue(model, metric);
      return Number.isNaN(value) ? [] : [{ type, name: metric.title, value: rounded(value) }];
    });
  const results = (model: ModelResult, name: string) => ({
    name,
    results: [
      {
        task: { type: task },
        dataset: { name: data.data.title, type: facts.datasets?.[0] ?? 'custom', split: 'test' },
        metrics: measuredBy(model),
      },
    ],
  });
  return {
    license: facts.license,
    ...(facts.languages.length > 0 ? { language: facts.languages } : {}),
    library_name: 'transformers.js',
    pipeline_tag: task,
    tags: [...(isDistillReport(data) ? ['distillation'] : []), 'onnx', 'limbeck'],
    ...(facts.datasets && facts.datasets.length > 0 ? { datasets: facts.datasets } : {}),
    metrics: measuredBy(student).map(({ type }) => type),
    'model-index': [
      results(student, data.name),
      ...(studentInt8 ? [results(studentInt8, `${data.name} int8`)] : []),
      ...furtherShipping(data).map(({ precision, result }) => results(result, `${data.name} ${precision}`)),
    ],
  };
}

/** The student's files in further precisions that are in its folder. */
function furtherShipping({ result: { further = [] } }: ReportData): FurtherResult[] {
  return further.filter(({ gate }) => gate.passed);
}

/** The hub's name of the task. */
function taskOf({ unit }: Pick<ReportData, 'unit'>, { task }: ModelCardFacts): string {
  return task ?? UNITS[unit].task;
}

/** By what samples are: the hub's name of the task, what is classified, and a file that a person would classify. */
const UNITS = {
  texts: { task: 'text-classification', a: 'A text', file: undefined },
  images: { task: 'image-classification', a: 'An image', file: 'picture.png' },
  clips: { task: 'audio-classification', a: 'An audio', file: 'recording.wav' },
  pairs: { task: 'zero-shot-image-classification', a: 'A pair', file: 'picture.png' },
  samples: { task: 'other', a: 'A', file: 'sample' },
} as const;

function introduction(data: ReportData, classes: ClassAnswers | undefined): string {
  const { student } = data.result;
  const { labelled, splits, title } = data.data;
  const taught = isDistillReport(data);
  const headline = taught ? headlineOf(data.result, data.unit) : studentHeadline(data.result, data.unit);
  const truth = classes ? 'a label' : 'a truth';
  const facts = taught
    ? [
        `**Student:** ${inline(data.models.student)}`,
        `**Teacher:** ${inline(data.models.teacher ?? '')}`,
        `**Data:** ${inline(title)}: ${decimal(splits.train)} training ${data.unit}, ${taughtBy(labelled, splits.train, classes ? 'a label' : 'its truth')}.`,
      ]
    : [
        `**Student:** ${inline(data.models.student)}`,
        `**Data:** ${inline(title)}: ${decimal(labelled)} training ${data.unit} with ${truth}.`,
      ];
  for (const line of compressionLines(data.result.compression)) facts.push(`**Compressed:** ${inline(line)}`);
  for (const line of mixedLines(data.result)) facts.push(`**Precision:** ${inline(line)}`);
  for (const line of exitLines(data.result.exits)) facts.push(`**Leaves early:** ${inline(line)}`);
  for (const line of runtimeLines(data.result)) facts.push(`**Measured** ${inline(line)}`);
  if (classes) facts.push(`**Classes:** ${classes.labels.map(inline).join(', ')}`);
  const how = taught ? 'distilled' : 'trained on labels';
  const answers = data.outputs.map((one) => `${one.title} (\`${inline(one.name)}\`)`).join(' and ');
  const what = classes
    ? `${UNITS[data.unit].a} classifier for ${classes.labels.length} classes`
    : `A model of ${data.unit} that answers with ${answers}`;
  return `${what}, ${how} with Limbeck: ${bytes(student.bytes)}, ${quantity(student.parameters)} parameters. ${inline(headline)}.

${facts.map((fact) => `- ${fact}`).join('\n')}`;
}

/** Of how many training samples the student was told more than what its teacher answers. */
function taughtBy(labelled: number, training: number, truth: string): string {
  if (labelled === 0) return 'all of them answered by the teacher alone';
  if (labelled >= training) return `each with ${truth} and the teacher's answer`;
  return `${decimal(labelled)} of them with ${truth}; the teacher's answers taught the rest`;
}

function results(data: ReportData, classes: ClassAnswers | undefined): string {
  const tests = data.data.splits.test;
  const { student, studentInt8, machine, engine, metrics } = data.result;
  const compared = isDistillReport(data) ? data.result : null;
  const rows: [string, ModelResult][] = [
    ...(compared?.teacher ? [['Teacher', compared.teacher] satisfies [string, ModelResult]] : []),
    ['**Student** (`onnx/model.onnx`)', student],
  ];
  if (studentInt8 && int8Ships(data.result)) {
    rows.push(['**Student, int8** (`onnx/model_quantized.onnx`)', studentInt8]);
  }
  for (const { precision, result } of furtherShipping(data))
    rows.push([`**Student, ${PRECISIONS[precision].title}** (\`${fileOf(precision)}\`)`, result]);
  for (const { name, title, result } of compared ? baselinesOf(compared) : (data.result.baselines ?? [])) {
    rows.push([`${capital(shortName(inline(name)))}: ${inline(title)}`, result]);
  }
  const slower = slowerInt8(data.result);
  const worth = compared ? worthOf(compared, data.unit) : [];
  const measures = (model: ModelResult) =>
    metrics.map((metric: MetricInfo) => shownValue(metric, metricValue(model, metric)));
  const { accuracy } = student;
  return `## Results

On ${decimal(tests)} test ${data.unit}, measured on the files as they ship.${classes && accuracy !== undefined ? ` The 95 % interval of the student's accuracy is ${intervalOf(accuracy, tests)}.` : ''}

| model | ${metrics.map(({ title }) => inline(title)).join(' | ')} | size | parameters | latency, 1 | latency, 32 at once | ${data.unit}/s |
|---|${metrics.map(() => '---:|').join('')}---:|---:|---:|---:|---:|
${rows
  .map(
    ([name, model]) =>
      `| ${name} | ${measures(model).join(' | ')} | ${bytes(model.bytes)} | ${quantity(model.parameters)} | ${milliseconds(model.latencyMs.one)} | ${milliseconds(model.latencyMs.thirtyTwo)} | ${decimal(model.throughput)} |`,
  )
  .join('\n')}

Times on ${inline(machine.cpu)}, ${machine.cores} cores, ${inline(engine)}.${slower ? ` ${inline(capital(slower))}.` : ''}${worth.map((sentence) => ` ${inline(sentence)}`).join('')}`;
}

function intervalOf(accuracy: number, tests: number): string {
  const { low, high } = accuracyInterval(Math.round(accuracy * tests), tests);
  return `${percent(low)} to ${percent(high)}`;
}

/**
 * How a classifier or a language model is called. What other models are good for, no pipeline of transformers.js says in a
 * line.
 */
function usage(data: ReportData, facts: ModelCardFacts, classes: ClassAnswers | undefined): string {
  const ships = int8Ships(data.result);
  const read = readBy(data);
  const call = isWriter(data, facts) ? writing(facts) : classes && classifying(data, classes);
  if (!call) return read && `## Use\n\n${read}`;
  const dtypes = shippingPrecisions(data.result)
    .toReversed()
    .map((precision) => `\`'${PRECISIONS[precision].dtype}'\` is ${PRECISIONS[precision].title}`);
  const quantized = dtypes.length > 1 ? `\n\n\`dtype\` chooses the file: ${dtypes.join(', ')}.` : '';
  const dtype = ships ? 'q8' : 'fp32';
  const code = facts.pair
    ? classifyingPairs(facts.pair, dtype)
    : `import { env, pipeline } from '@huggingface/transformers';

env.localModelPath = './'; // the folder that holds this one
env.allowRemoteModels = false;
const ${call.name} = await pipeline('${taskOf(data, facts)}', 'student', { dtype: '${dtype}' });
console.log(await ${call.name}(${call.given}));`;
  return `## Use

${fenced('js', code)}${quantized}${read && `\n\n${read}`}`;
}

/** Pipelines take one text a sample. */
function classifyingPairs(pair: readonly [string, string], dtype: string): string {
  const [first, second] = pair.map((field) => JSON.stringify(`the ${field}`));
  return `import { AutoModelForSequenceClassification, AutoTokenizer, env } from '@huggingface/transformers';

env.localModelPath = './'; // the folder that holds this one
env.allowRemoteModels = false;
const tokenizer = await AutoTokenizer.from_pretrained('student');
const model = await AutoModelForSequenceClassification.from_pretrained('student', { dtype: '${dtype}' });
const { logits } = await model(tokenizer(${first}, { text_pair: ${second}, truncation: true }));
console.log(model.config.id2label[logits.data.indexOf(Math.max(...logits.data))]);`;
}

function isWriter(data: ReportData, facts: ModelCardFacts): boolean {
  return taskOf(data, facts) === 'text-generation';
}

/** Name of a pipeline, and what it is called with, as code. */
interface Call {
  readonly name: string;
  readonly given: string;
}

function classifying({ unit }: ReportData, { disagreements, mistakes }: ClassAnswers): Call {
  const example = (disagreements[0] ?? mistakes[0])?.text ?? 'a text to classify';
  const { file } = UNITS[unit];
  return {
    name: 'classify',
    given: file === undefined ? JSON.stringify(example.slice(0, 200)) : `'${file}'`,
  };
}

/** Tokens that the card's example lets a language model write. */
const WRITTEN_TOKENS = 64;

/** The prompt and what follows share the positions of the model. */
function writing({ maxLength = 2 * WRITTEN_TOKENS }: ModelCardFacts): Call {
  const tokens = Math.min(WRITTEN_TOKENS, Math.floor(maxLength / 2));
  return { name: 'write', given: `'the beginning of a text', { max_new_tokens: ${tokens} }` };
}

function readBy({ result: { shippedCheck: check }, unit }: ReportData): string {
  if (!check || check.samples === 0) return '';
  return `Read by ${inline(check.reader)}, the folder gave the measured answers to ${check.samples} ${unit}, alone and in batches.`;
}

function limits(data: ReportData, facts: ModelCardFacts, classes: ClassAnswers | undefined): string {
  const lines = classes ? mistakesOf(data, classes) : [];
  if (facts.maxLength && data.unit === 'texts')
    lines.push(
      isWriter(data, facts)
        ? `A prompt and what it goes on with have ${facts.maxLength} tokens together, at most.`
        : `Texts are cut after ${facts.maxLength} tokens.`,
    );
  lines.push(
    `It was measured on ${data.unit} like those it was trained on (${inline(data.data.title)}); elsewhere it will do worse.`,
  );
  lines.push(...licenceLines(data, facts));
  return `## Limits\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/** What is known of the licences of its teachers; the student's own is what its maker says. */
function licenceLines({ teacherLicences = [] }: ReportData, { license }: ModelCardFacts): string[] {
  const own =
    license === 'other'
      ? "the student's is not said (`export.license`)"
      : `the student's is ${inline(license)}`;
  return teacherLicences.map(({ model, license: of }) =>
    of === null
      ? `Nothing says under which licence its teacher ${inline(model)} is; ${own}.`
      : `Its teacher ${inline(model)} is under the licence ${inline(of)}; ${own}. Whether a student falls under its teacher's licence is for whoever publishes it to find out.`,
  );
}

/** What a classifier gets wrong. */
function mistakesOf(data: ReportData, { labels, errors, confusion }: ClassAnswers): string[] {
  const pairs = confusedPairs(confusion.student).sort((a, b) => b.count - a.count);
  const wrong = pairs.reduce((sum, { count }) => sum + count, 0);
  const whose =
    errors && wrong > 0
      ? `; ${percent(errors.inherited.count / wrong, 0)} of its errors are its teacher's own`
      : '';
  const [pair] = pairs;
  return [
    `It knows ${labels.length} classes and gives one of them to every one of the ${data.unit}, whatever it is about.`,
    `It is wrong on ${percent(1 - (data.result.student.accuracy ?? 0))} of the test ${data.unit}${whose}.`,
    ...(pair
      ? [
          `Its most frequent confusion: ${inline(labels[pair.truth] ?? '')} taken for ${inline(labels[pair.predicted] ?? '')}.`,
        ]
      : []),
  ];
}

function reproduction(data: ReportData): string {
  return `## Reproduce

Limbeck ${data.result.version}, seed ${data.result.seed}:

${fenced('sh', data.result.command)}

with this recipe:

${fenced('yaml', data.recipe.trimEnd())}`;
}

export function rounded(value: number): number {
  return Number(value.toFixed(4));
}

/** A code block whose fence no line of the code can end. */
export function fenced(language: string, code: string): string {
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${code}\n${fence}`;
}

/** Text from outside inside a line of Markdown: no line breaks or other controls, and nothing that is markup. */
export function inline(text: string): string {
  return text
    .replace(/[\s\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/[\\`*_{}[\]<>#|!~&]/g, (character) => `\\${character}`);
}
