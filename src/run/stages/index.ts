import type { Recipe } from '../../recipe/schema.ts';
import type { ToldStage } from '../../report/told-stage.ts';
import type { RunOptions } from '../context/run-options.ts';
import { BASELINE, baselineStage } from './baseline.ts';
import { compressStage } from './compress.ts';
import { DATA, dataStage } from './data.ts';
import { EVALUATIONS, evaluateStage } from './evaluate.ts';
import { exportAgainStage, exportStage, SHIPPED } from './export.ts';
import { TASK } from './given.ts';
import { KNOWLEDGE_GRAPH, knowledgeGraphStage } from './knowledge-graph.ts';
import { LESSONS, labelStage } from './label.ts';
import { PEERS, peerStage } from './peer.ts';
import { withRegistered } from './registered.ts';
import { RESULT, reportStage } from './report.ts';
import type { Stage } from './stage.ts';
import { TEACHER, teacherStage } from './teacher.ts';
import { labelsTrainingStage, STUDENT, trainStage } from './train.ts';
import { writeStage } from './write.ts';

/** What `limbeck distill` does. To add a stage: a file beside these, and a line here. */
export const DISTILL: readonly Stage[] = [
  dataStage,
  teacherStage,
  knowledgeGraphStage,
  writeStage,
  labelStage,
  peerStage,
  trainStage,
  compressStage,
  baselineStage,
  exportStage,
  evaluateStage,
  reportStage,
];

/** What `limbeck train` does. */
export const TRAIN: readonly Stage[] = [
  dataStage,
  labelsTrainingStage,
  compressStage,
  exportStage,
  evaluateStage,
  reportStage,
];

/** What `limbeck label` does. */
export const LABEL: readonly Stage[] = [dataStage, teacherStage, knowledgeGraphStage, writeStage, labelStage];

/** What `limbeck export` does in the folder of a finished run. */
export const EXPORT: readonly Stage[] = [dataStage, exportAgainStage, evaluateStage];

/** The names of the stages that every result tells the seconds of, in the order in which they come, without those of others. */
export const STAGES: readonly string[] = namesOf(DISTILL.filter(({ isExtra }) => !isExtra));

/**
 * Every stage that there is, in order, as a command's report tells of it: a result has the seconds of all, 0 for those that
 * the command does not have. Of `isExtra` stages only those that the run has.
 */
export function toldStages(
  list: readonly Stage[],
  run?: { readonly recipe: Recipe; readonly options: RunOptions },
): readonly ToldStage[] {
  const isTold = ({ isExtra, applies }: Stage) =>
    !run || !isExtra || applies?.(run.recipe, run.options) !== false;
  const [own, all] = [withRegistered(list), withRegistered(DISTILL).filter(isTold)];
  return namesOf(all).map((name) => {
    const { about } = (own.find((stage) => stage.name === name) ??
      all.find((stage) => stage.name === name)) as Stage;
    return { name, about };
  });
}

function namesOf(list: readonly Stage[]): string[] {
  return [...new Set(list.map(({ name }) => name))];
}

/** What stages make, for stages of others that need it. */
export const artifacts = {
  task: TASK,
  data: DATA,
  teacher: TEACHER,
  knowledgeGraph: KNOWLEDGE_GRAPH,
  lessons: LESSONS,
  peers: PEERS,
  student: STUDENT,
  baseline: BASELINE,
  shipped: SHIPPED,
  evaluations: EVALUATIONS,
  /** Of `distill` and `train`. */
  result: RESULT,
};
