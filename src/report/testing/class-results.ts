import type { ClassAnswers } from '../class-answers.ts';
import type { ReportData } from '../report-data.ts';
import type { ModelResult } from '../result.ts';

type Numbers = Omit<ModelResult, 'metrics' | 'accuracy' | 'macroF1'>;
/** A model that answers with one class. */
export type ClassModel = Numbers & Required<Pick<ModelResult, 'metrics' | 'accuracy' | 'macroF1'>>;

/** What was measured of a model that answers with one class. */
export function classModel(accuracy: number, macroF1: number, numbers: Partial<Numbers> = {}): ClassModel {
  return {
    metrics: { accuracy, macroF1 },
    accuracy,
    macroF1,
    parameters: 600_000,
    bytes: 2_400_000,
    latencyMs: { one: 1, thirtyTwo: 1 },
    throughput: 1,
    ...numbers,
  };
}

/** What a report says of classes. */
export function classAnswersOf(data: ReportData): ClassAnswers {
  const [output] = data.outputs;
  const found = output?.section?.find((block) => block.block === 'classes');
  if (!found) throw new Error('the report is not of one class');
  return found;
}

/** The same report with other answers. */
export function withClassAnswers(data: ReportData, change: Partial<ClassAnswers>): ReportData {
  const section = [{ ...classAnswersOf(data), ...change }];
  return { ...data, outputs: data.outputs.map((output) => ({ ...output, section })) };
}
