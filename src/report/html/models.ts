import type { ReportData } from '../report-data.ts';
import type { ModelResult } from '../result.ts';

/** Names a model's colour in the style sheet. */
export type ModelKey = 'teacher' | 'student' | 'int8' | 'baseline';

export interface ShownModel {
  key: ModelKey;
  title: string;
  /** What it is, in a few words. */
  about: string;
  result: ModelResult;
}

/** The models of a run, in the order in which the page shows them. */
export function shownModels(data: ReportData): ShownModel[] {
  const { teacher, student, studentInt8, baseline } = data.result;
  const models: ShownModel[] = [
    { key: 'teacher', title: 'Teacher', about: data.models.teacher, result: teacher },
    { key: 'student', title: 'Student', about: data.models.student, result: student },
  ];
  if (studentInt8) {
    models.push({ key: 'int8', title: 'Student int8', about: 'the student, quantised', result: studentInt8 });
  }
  if (baseline) {
    models.push({
      key: 'baseline',
      title: 'Baseline',
      about: 'the same student, from the labels alone',
      result: baseline,
    });
  }
  return models;
}
