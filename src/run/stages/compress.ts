import { afterTraining } from '../../compress/transforms/apply-transforms.ts';
import { formatMetric } from '../../metrics/format-metric.ts';
import { compressStudent } from '../compressing/compress-student.ts';
import { transformsOf } from '../compressing/transforms-of.ts';
import { optional } from '../context/artifact.ts';
import { mainMetric } from '../heads/head-metrics.ts';
import { planCompress } from '../planning/student-stages.ts';
import { DATA } from './data.ts';
import { KNOWLEDGE_GRAPH } from './knowledge-graph.ts';
import { LESSONS } from './label.ts';
import { PEERS } from './peer.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';
import { STUDENT } from './train.ts';

/** Applies the recipe's transforms that come after the training: what goes on from here is the smaller student. */
export const compressStage = stage({
  name: 'compress',
  about: 'make the trained student smaller or faster, and train it further',
  needs: {
    data: DATA,
    student: STUDENT,
    teacher: optional(TEACHER),
    graph: optional(KNOWLEDGE_GRAPH),
    lessons: optional(LESSONS),
    peers: optional(PEERS),
  },
  makes: STUDENT,
  isExtra: true,
  applies: (recipe) => afterTraining(transformsOf(recipe, []).items).length > 0,
  title: () => 'Compress the student',
  async run(run, { data, student, peers, ...taught }) {
    const value = await compressStudent(run, data, student, { ...taught, assistant: peers?.assistant });
    const done = value.compression?.flatMap(({ summary }) => summary ?? []) ?? [];
    const reached = formatMetric(mainMetric(data.heads), value.validation);
    return { value, summary: `${done.join('; ')}; ${reached} on the validation split` };
  },
  plan: planCompress,
});
