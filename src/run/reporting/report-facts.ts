import type { Dataset, DatasetStatistics } from '../../data/dataset.ts';
import { summarizeLengths } from '../../data/findings/text-lengths.ts';
import { readRegularText } from '../../regular-file.ts';
import { withoutRawTexts } from '../../report/raw-texts.ts';
import type { DataStatistics, ReportData } from '../../report/report-data.ts';
import type { Section } from '../../report/targets/section.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { readDynamics } from '../training/sample-dynamics.ts';

/** What the report of every run says of it, whoever taught the student. */
export function reportFacts(
  run: RunContext,
  { dataset, task }: TaskData,
): Pick<ReportData, 'name' | 'unit' | 'finishedAt' | 'labels' | 'data' | 'dynamics' | 'warnings' | 'recipe'> {
  const { folder, recipe } = run;
  const { examples } = recipe.report;
  const labels = [...dataset.labels];
  return {
    name: recipe.name,
    unit: task.unit,
    finishedAt: new Date().toISOString(),
    labels,
    data: dataStatistics(dataset, examples),
    dynamics: readDynamics(run),
    warnings: folder.warnings.map((message) => ({
      message: examples ? message : withoutRawTexts(message, labels),
      level: 'warning' as const,
    })),
    recipe: readRegularText(folder.file('recipe.resolved.yaml')),
  };
}

/** The outputs, the main one first, with what the page shows of each. */
export function reportedOutputs(
  { heads }: Pick<TaskData, 'heads'>,
  sections: ReadonlyMap<string, Section>,
): ReportData['outputs'] {
  return heads.map(({ output, target }) => ({
    name: output,
    title: target.title,
    kind: target.kind,
    section: sections.get(output) ?? null,
  }));
}

/** What the student is, in a few words. */
export function studentTitle({ recipe }: RunContext): string {
  const { kind, ...options } = recipe.student;
  const numbers = Object.entries(options).map(([name, value]) => `${name} ${optionText(value)}`);
  return `${kind} (${numbers.join(', ')})`;
}

function dataStatistics(dataset: Dataset, examples: boolean): DataStatistics {
  const { splits, statistics, title } = dataset;
  const { train, labelled, validation, test } = splits;
  return {
    title,
    rows: statistics.rows,
    splits: { train: train.size, validation: validation.size, test: test.size },
    labelled: labelled.size,
    broken: statistics.broken.count,
    brokenExamples: examples ? statistics.broken.first.map(({ where, problem }) => ({ where, problem })) : [],
    duplicates: statistics.duplicates,
    lengths: lengthHistogram(statistics),
    cut: summarizeLengths(statistics.tokenLengths, statistics.longTexts)?.cut ?? 0,
  };
}

const LENGTH_STEP = 4;

function lengthHistogram({ tokenLengths }: DatasetStatistics): DataStatistics['lengths'] {
  const bars: DataStatistics['lengths'] = [];
  for (let from = 0; from < tokenLengths.length; from += LENGTH_STEP) {
    const counts = tokenLengths.slice(from, from + LENGTH_STEP);
    bars.push({ from, to: from + LENGTH_STEP, count: counts.reduce((sum, count) => sum + count, 0) });
  }
  return bars;
}

/** An option that has options of its own, like the convolution beside n-grams, in brackets; one that is left out as `none`. */
function optionText(value: unknown): string {
  if (value === false) return 'none';
  if (typeof value !== 'object' || value === null) return `${value}`;
  return `(${Object.entries(value)
    .map(([name, own]) => `${name} ${optionText(own)}`)
    .join(', ')})`;
}
