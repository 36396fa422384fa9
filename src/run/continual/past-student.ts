import type { Split } from '../../data/split.ts';
import { labelSplit } from '../../knowledge/label.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { foldBatchNorm } from '../../onnx/passes/fold-batch-norm.ts';
import { removeDeadNodes } from '../../onnx/passes/remove-dead-nodes.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import { mkdirSync } from '../../platform/files.ts';
import { dirname } from '../../platform/paths.ts';
import type { Student } from '../../students/student.ts';
import { withParameters } from '../../train/step-graph.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';

/** Writes a student as it is now, to be asked later: it becomes its own teacher. */
export function writePastStudent(
  file: string,
  student: Student,
  parameters: ReadonlyMap<string, Float32Array>,
): void {
  const { graph } = withParameters(student, parameters);
  mkdirSync(dirname(file), { recursive: true });
  writeModelFile(file, foldBatchNorm(removeDeadNodes(withOutputs(toEvaluationForm(graph), ['logits']))));
}

/** Asks a past student about samples that the knowledge store has no answer of it for, and opens its answers. */
export async function askPastStudent(
  run: RunContext,
  data: TaskData,
  { file, title, split }: { file: string; title: string; split: Split },
): Promise<LabelSpace> {
  const labeller = await openLabeller(run, data.task, file, title);
  try {
    await labelSplit({
      teacher: labeller,
      taps: ['logits'],
      split: { batches: (rows) => splitBatches(split, rows) },
      store: run.store,
      encoding: 'float16',
      batchSize: TEACHER_BATCH,
      signal: run.options.signal,
    });
    const { hash, preprocessing, outputs } = labeller;
    const { dims } = outputs.logits;
    return await run.store.space({
      title,
      teacher: hash,
      tap: 'logits',
      preprocessing,
      dims,
      encoding: 'float16',
    });
  } finally {
    await labeller.close();
  }
}
