import { PRECISIONS } from '../../export/precisions.ts';
import { baselinesOf } from '../conclusion.ts';
import { isDistillReport, type ReportData } from '../report-data.ts';
import { int8Ships, type ModelResult, shortName } from '../result.ts';
import { studentShips } from '../runtime-gates.ts';
import { capital } from './format.ts';

/** A model as the page shows it. */
export interface ShownModel {
  /** Its colour class in the style sheet. */
  key: string;
  title: string;
  /** What it is, in a few words. */
  about: string;
  result: ModelResult;
}

/** Colours of what the student is compared with, in its order. */
const BASELINE_COLORS = ['baseline', 'term-4', 'term-5', 'term-2'];

const KEPT_BACK = '; kept back, it does not ship';

/** The models of a run, in the order in which the page shows them. */
export function shownModels(data: ReportData): ShownModel[] {
  const { student, studentInt8, further = [] } = data.result;
  const int8 = int8Ships(data.result) ? 'the student, quantised' : `quantised${KEPT_BACK}`;
  const ships = studentShips(data.result);
  const distilled = isDistillReport(data) ? data.result : undefined;
  return [
    ...(distilled?.teacher
      ? [
          {
            key: 'teacher',
            title: 'Teacher',
            about: data.models.teacher ?? '',
            result: distilled.teacher,
          },
        ]
      : []),
    {
      key: 'student',
      title: 'Student',
      about: `${data.models.student}${ships ? '' : KEPT_BACK}`,
      result: student,
    },
    ...(studentInt8 ? [{ key: 'int8', title: 'Student int8', about: int8, result: studentInt8 }] : []),
    ...further.map(({ precision, result, gate: { passed } }) => ({
      key: precision,
      title: `Student ${precision}`,
      about: `${PRECISIONS[precision].title}${passed && ships ? '' : KEPT_BACK}`,
      result,
    })),
    ...(distilled ? baselinesOf(distilled) : (data.result.baselines ?? [])).map(
      ({ name, title, result }, index) => ({
        key: BASELINE_COLORS[index % BASELINE_COLORS.length] as string,
        title: capital(shortName(name)),
        about: title,
        result,
      }),
    ),
  ];
}
