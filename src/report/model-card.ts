import { stringify } from 'yaml';
import { accuracyInterval } from '../metrics/interval.ts';
import { baselinesOf, headlineOf, studentHeadline, worthOf } from './conclusion.ts';
import { bytes, capital, decimal, milliseconds, percent, quantity } from './html/format.ts';
import { concluded } from './older-report.ts';
import type { ConfusionPair, ReportData } from './report-data.ts';
import { int8Ships, type ModelResult, shortName } from './result.ts';
import type { TrainReport } from './train-report.ts';

/** What a model card says that no run knows. */
export interface ModelCardFacts {
  /** SPDX identifier in the hub's spelling, e.g. `apache-2.0`. */
  license: string;
  /** ISO 639 codes of the texts' languages, e.g. `['en']`; left out of the card when there are none. */
  languages: readonly string[];
  /** Names on the hub of the data sets, when they are there. */
  datasets?: string[];
  /** Tokens after which a text is cut. */
  maxLength?: number;
}

/** What a card is made of, whoever taught the student. */
type CardData = ReportData | TrainReport;

function isDistilled(data: CardData): data is ReportData {
  return 'models' in data;
}

/**
 * README.md of the student's folder, as the Hugging Face hub reads it: metadata in front, then what the model is,
 * how it does beside its teacher and its baseline, how to use it in transformers.js, its limits, and how to
 * make it again.
 */
export function renderModelCard(data: CardData, facts: ModelCardFacts): string {
  return `---
${stringify(metadata(data, facts))}---

# ${inline(data.name)}

${introduction(data)}

${results(data)}

${usage(data)}

${limits(data, facts)}

${reproduction(data)}
`;
}

function metadata(data: CardData, facts: ModelCardFacts): Record<string, unknown> {
  const { student } = data.result;
  const studentInt8 = int8Ships(data.result) ? data.result.studentInt8 : null;
  const results = (model: ModelResult, name: string) => ({
    name,
    results: [
      {
        task: { type: task(data) },
        dataset: { name: data.data.title, type: facts.datasets?.[0] ?? 'custom', split: 'test' },
        metrics: [
          { type: 'accuracy', value: rounded(model.accuracy) },
          { type: 'f1', name: 'macro-F1', value: rounded(model.macroF1) },
        ],
      },
    ],
  });
  return {
    license: facts.license,
    ...(facts.languages.length > 0 ? { language: facts.languages } : {}),
    library_name: 'transformers.js',
    pipeline_tag: task(data),
    tags: [...(isDistilled(data) ? ['distillation'] : []), 'onnx', 'limbeck'],
    ...(facts.datasets && facts.datasets.length > 0 ? { datasets: facts.datasets } : {}),
    metrics: ['accuracy', 'f1'],
    'model-index': [
      results(student, data.name),
      ...(studentInt8 ? [results(studentInt8, `${data.name} int8`)] : []),
    ],
  };
}

/** The hub's name of the task. */
function task({ unit }: Pick<CardData, 'unit'>): string {
  return UNITS[unit].task;
}

/** By what samples are: the hub's name of the task, what is classified, and a file that a person would classify. */
const UNITS = {
  texts: { task: 'text-classification', a: 'A text', file: undefined },
  images: { task: 'image-classification', a: 'An image', file: 'picture.png' },
  clips: { task: 'audio-classification', a: 'An audio', file: 'recording.wav' },
  pairs: { task: 'zero-shot-image-classification', a: 'A pair', file: 'picture.png' },
  samples: { task: 'other', a: 'A', file: 'sample' },
} as const;

function introduction(data: CardData): string {
  const { student } = data.result;
  const { labelled, splits, title } = data.data;
  const isTaught = isDistilled(data);
  const headline = isTaught
    ? headlineOf(concluded(data), data.unit)
    : studentHeadline(data.result, data.unit);
  const facts = isTaught
    ? [
        `**Student:** ${inline(data.models.student)}`,
        `**Teacher:** ${inline(data.models.teacher)}`,
        `**Data:** ${inline(title)}: ${decimal(splits.train)} training ${data.unit}, ${decimal(labelled)} of them with a label; the teacher's answers taught the rest.`,
      ]
    : [
        `**Student:** ${inline(data.student)}`,
        `**Data:** ${inline(title)}: ${decimal(labelled)} training ${data.unit} with a label.`,
      ];
  const how = isTaught ? 'distilled' : 'trained on labels';
  return `${UNITS[data.unit].a} classifier for ${data.labels.length} classes, ${how} with Limbeck: ${bytes(student.bytes)}, ${quantity(student.parameters)} parameters. ${inline(headline)}.

${[...facts, `**Classes:** ${data.labels.map(inline).join(', ')}`].map((fact) => `- ${fact}`).join('\n')}`;
}

function results(data: CardData): string {
  const tests = data.data.splits.test;
  const { student, studentInt8, machine, engine } = data.result;
  const compared = isDistilled(data) ? concluded(data) : null;
  const rows: [string, ModelResult][] = [
    ...(compared ? [['Teacher', compared.teacher] satisfies [string, ModelResult]] : []),
    ['**Student** (`onnx/model.onnx`)', student],
  ];
  if (studentInt8 && int8Ships(data.result)) {
    rows.push(['**Student, int8** (`onnx/model_quantized.onnx`)', studentInt8]);
  }
  for (const { name, title, result } of compared ? baselinesOf(compared) : []) {
    rows.push([`${capital(shortName(inline(name)))}: ${inline(title)}`, result]);
  }
  const worth = compared ? worthOf(compared, data.unit) : [];
  const { low, high } = accuracyInterval(Math.round(student.accuracy * tests), tests);
  return `## Results

On ${decimal(tests)} test ${data.unit}, measured on the files as they ship. The 95 % interval of the student's accuracy is ${percent(low)} to ${percent(high)}.

| model | accuracy | macro-F1 | size | parameters | latency, 1 | latency, 32 at once | ${data.unit}/s |
|---|---:|---:|---:|---:|---:|---:|---:|
${rows
  .map(
    ([name, model]) =>
      `| ${name} | ${percent(model.accuracy)} | ${percent(model.macroF1)} | ${bytes(model.bytes)} | ${quantity(model.parameters)} | ${milliseconds(model.latencyMs.one)} | ${milliseconds(model.latencyMs.thirtyTwo)} | ${decimal(model.throughput)} |`,
  )
  .join('\n')}

Times on ${inline(machine.cpu)}, ${machine.cores} cores, ${inline(engine)}.${worth.map((sentence) => ` ${inline(sentence)}`).join('')}`;
}

function usage(data: CardData): string {
  const shown = isDistilled(data) ? data.disagreements[0] : data.mistakes[0];
  const example = shown?.text ?? 'a text to classify';
  const ships = int8Ships(data.result);
  const quantized = ships
    ? "\n\nThe int8 file loads with `{ dtype: 'q8' }`, the other with `{ dtype: 'fp32' }`."
    : '';
  const code = `import { env, pipeline } from '@huggingface/transformers';

env.localModelPath = './'; // the folder that holds this one
env.allowRemoteModels = false;
const classify = await pipeline('${task(data)}', 'student', { dtype: '${ships ? 'q8' : 'fp32'}' });
console.log(await classify(${UNITS[data.unit].file === undefined ? JSON.stringify(example.slice(0, 200)) : `'${UNITS[data.unit].file}'`}));`;
  return `## Use

${fenced('js', code)}${quantized}${readBy(data)}`;
}

function readBy({ result: { shippedCheck: check }, unit }: CardData): string {
  if (!check) return '';
  return `\n\nRead by ${inline(check.reader)}, the folder gave the measured answers to ${check.samples} ${unit}, alone and in batches.`;
}

function limits(data: CardData, facts: ModelCardFacts): string {
  const pairs = confusedPairs(data);
  const wrong = pairs.reduce((sum, { count }) => sum + count, 0);
  const inherited = isDistilled(data) && wrong > 0 ? data.errors.inherited.count / wrong : 0;
  const pair = pairs.sort((a, b) => b.count - a.count)[0];
  const whose = isDistilled(data) ? `; ${percent(inherited, 0)} of its errors are its teacher's own` : '';
  const lines = [
    `It knows ${data.labels.length} classes and gives one of them to every one of the ${data.unit}, whatever it is about.`,
    `It is wrong on ${percent(1 - data.result.student.accuracy)} of the test ${data.unit}${whose}.`,
  ];
  if (pair) {
    lines.push(
      `Its most frequent confusion: ${inline(data.labels[pair.truth] ?? '')} taken for ${inline(data.labels[pair.predicted] ?? '')}.`,
    );
  }
  if (facts.maxLength && data.unit === 'texts') lines.push(`Texts are cut after ${facts.maxLength} tokens.`);
  lines.push(
    `It was measured on ${data.unit} like those it was trained on (${inline(data.data.title)}); elsewhere it will do worse.`,
  );
  return `## Limits\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/** Which class is taken for which, and how often. */
function confusedPairs(data: CardData): ConfusionPair[] {
  if (isDistilled(data)) return [...data.errors.inherited.pairs, ...data.errors.own.pairs];
  return data.confusion.flatMap((row, truth) =>
    row.flatMap((count, predicted) =>
      count > 0 && truth !== predicted ? [{ truth, predicted, count }] : [],
    ),
  );
}

function reproduction(data: CardData): string {
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
