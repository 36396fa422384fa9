import { stringify } from 'yaml';
import { formatValue } from '../metrics/format-metric.ts';
import { answersHeadline, answersWorth } from './answers-conclusion.ts';
import type { AnswersReport } from './answers-report.ts';
import type { AnswersModel } from './answers-result.ts';
import { bytes, capital, decimal, milliseconds, quantity } from './html/format.ts';
import { fenced, inline, type ModelCardFacts, rounded } from './model-card.ts';
import { shortName } from './result.ts';

/** What a card of such a student says besides. */
export interface AnswersCardFacts extends ModelCardFacts {
  /** The pipeline tag of the recipe. */
  readonly task: string;
}

/** README.md of a student that answers with anything but one class, as the Hugging Face hub reads it. */
export function renderAnswersCard(data: AnswersReport, facts: AnswersCardFacts): string {
  const { result, unit, models, outputs } = data;
  const { student, studentInt8, teacher, machine, engine, baselines = [] } = result;
  const ships = studentInt8 !== null && result.gate?.passed !== false;
  const rows: [string, AnswersModel][] = [
    ...(teacher ? [['Teacher', teacher] satisfies [string, AnswersModel]] : []),
    ['**Student** (`onnx/model.onnx`)', student],
    ...(ships && studentInt8
      ? [['**Student, int8** (`onnx/model_quantized.onnx`)', studentInt8] satisfies [string, AnswersModel]]
      : []),
    ...baselines.map(({ name, title, result: own }): [string, AnswersModel] => [
      `${capital(shortName(inline(name)))}: ${inline(title)}`,
      own,
    ]),
  ];
  const line = ([name, model]: [string, AnswersModel]) =>
    `| ${name} | ${result.metrics.map((metric) => formatValue(metric, model.metrics[metric.name] ?? Number.NaN)).join(' | ')} | ${bytes(model.bytes)} | ${quantity(model.parameters)} | ${milliseconds(model.latencyMs.one)} | ${decimal(model.throughput)} |`;
  return `---
${stringify(metadata(data, facts))}---

# ${inline(data.name)}

${inline(answersHeadline(result))}. It answers with ${outputs.map(({ name, title }) => `${title} (\`${inline(name)}\`)`).join(' and ')}.

- **Student:** ${inline(models.student)}
${models.teacher === undefined ? '' : `- **Teacher:** ${inline(models.teacher)}\n`}- **Data:** ${inline(data.data.title)}: ${decimal(data.data.splits.train)} training ${unit}, ${decimal(data.data.labelled)} of them with a truth.

## Results

On ${decimal(data.data.splits.test)} test ${unit}, measured on the files as they ship.

| model | ${result.metrics.map(({ title }) => inline(title)).join(' | ')} | size | parameters | latency, 1 | ${unit}/s |
|---|${result.metrics.map(() => '---:|').join('')}---:|---:|---:|---:|
${rows.map(line).join('\n')}

Times on ${inline(machine.cpu)}, ${machine.cores} cores, ${inline(engine)}. ${answersWorth(result).map(inline).join(' ')}

## Limits

- It was measured on ${unit} like those it was trained on (${inline(data.data.title)}); elsewhere it will do worse.${facts.maxLength && unit === 'texts' ? `\n- Texts are cut after ${facts.maxLength} tokens.` : ''}

## Reproduce

Limbeck ${result.version}, seed ${result.seed}:

${fenced('sh', result.command)}

with this recipe:

${fenced('yaml', data.recipe.trimEnd())}
`;
}

function metadata({ name, result, data }: AnswersReport, facts: AnswersCardFacts): Record<string, unknown> {
  const metrics = result.metrics.flatMap(({ name: metric, title }) => {
    const value = result.student.metrics[metric];
    return typeof value === 'number' ? [{ type: metric, name: title, value: rounded(value) }] : [];
  });
  return {
    license: facts.license,
    ...(facts.languages.length > 0 ? { language: facts.languages } : {}),
    library_name: 'transformers.js',
    pipeline_tag: facts.task,
    tags: [...((result.teacher ?? result.hostedTeacher) ? ['distillation'] : []), 'onnx', 'limbeck'],
    'model-index': [
      {
        name,
        results: [
          {
            task: { type: facts.task },
            dataset: { name: data.title, type: 'custom', split: 'test' },
            metrics,
          },
        ],
      },
    ],
  };
}
