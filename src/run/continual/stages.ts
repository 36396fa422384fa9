import type { ContinualMethod } from '../../recipe/continual.ts';
import { dataStage } from '../stages/data.ts';
import { studentEvaluationStage } from '../stages/evaluate.ts';
import type { Stage } from '../stages/stage.ts';
import { teacherStage } from '../stages/teacher.ts';
import { askStage } from './ask-stage.ts';
import { divideStage } from './divide-stage.ts';
import { learnStage } from './learn.ts';
import { remediesOf } from './methods.ts';
import { continualReportStage } from './report.ts';
import { exportBestStage } from './ship.ts';

/** What `limbeck continual` does, by the methods that it compares. */
export function continualStages(methods: readonly ContinualMethod[], hasTeacher: boolean): readonly Stage[] {
  const asksTeacher = methods.some((method) => remediesOf(method, hasTeacher).includes('teacher'));
  return [
    dataStage,
    divideStage,
    ...(asksTeacher ? [teacherStage, askStage] : []),
    ...methods.map(learnStage),
    exportBestStage(methods),
    studentEvaluationStage,
    continualReportStage(methods),
  ];
}
