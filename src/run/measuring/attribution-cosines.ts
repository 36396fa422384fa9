import { weighedOptions } from '../../objectives/index.ts';
import { innerOutput } from '../../objectives/inner-output.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { teacherMemory } from '../../recipe/teacher-memory.ts';
import { LABELS_ALONE } from '../../report/result.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { outputContext } from '../heads/label-terms.ts';
import { atSizesOf, readTeacherGraph } from '../heads/teacher-graph.ts';
import { attributionAgreement } from './attribution-agreement.ts';
import { STUDENT_NAME, TEACHER_NAME } from './compared-models.ts';
import { EVALUATION_BATCH } from './evaluation-batch.ts';
import { fedAs } from './open-classifier.ts';

/** Samples on which the reasons of two models are compared: gradients cost more than answers. */
const MOST_SAMPLES = 512;

/** By model: how alike its reasons and the teacher's are, where the objective teaches reasons; else nothing. */
export async function attributionCosines(
  run: RunContext,
  data: TaskData,
  files: ReadonlyMap<string, string>,
): Promise<Map<string, number>> {
  const cosines = new Map<string, number>();
  const [taught] = weighedOptions(run.recipe.objective, 'attribution');
  const teacherFile = files.get(TEACHER_NAME);
  if (!taught || teacherFile === undefined) return cosines;
  if (teacherMemory(run.recipe) !== undefined) {
    run.warn(
      'reasons are not compared: gradients go through the whole teacher, which is larger than teacher.memory',
    );
    return cosines;
  }
  const teacher = readTeacherGraph(teacherFile, data);
  const about = innerOutput(taught.output, outputContext(data));
  for (const name of [STUDENT_NAME, LABELS_ALONE.name]) {
    const file = files.get(name);
    if (!file) continue;
    const student = fedAs(data, atSizesOf(data.dataset.columns, readModelFile(file)));
    cosines.set(
      name,
      await attributionAgreement(run.engine, { student, teacher }, firstFeeds(run, data), about),
    );
  }
  return cosines;
}

/** The first test samples, as both models are fed. */
function* firstFeeds(run: RunContext, data: TaskData) {
  let count = 0;
  for (const batch of splitBatches(data.dataset.splits.test, EVALUATION_BATCH)) {
    if (count >= MOST_SAMPLES) return;
    run.checkInterrupted();
    yield { feeds: batch.columns, filled: batch.filled };
    count += batch.filled;
  }
}
