import type { Evaluation } from '../../metrics/metric.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { askAll } from '../../teachers/ask-all.ts';
import type { MemoryBound } from '../../teachers/parts/parted-model.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { HeadsMeasuring } from '../heads/measure-heads.ts';
import { openLabeller, TEACHER_BATCH } from './ask-teacher.ts';

/** Measures a teacher that is larger than memory on the validation split, part by part (`measureHeads` measures any other). */
export async function measureInParts(
  run: RunContext,
  data: TaskData,
  file: string,
  bound: MemoryBound,
): Promise<Evaluation> {
  const measuring = new HeadsMeasuring(data.heads);
  const labeller = await openLabeller(run, data.task, file, data.teacherTitle, { bound });
  const outputs = data.heads.map(({ output }) => output);
  const batches = splitBatches(data.dataset.splits.validation, TEACHER_BATCH);
  const { checkInterrupted } = run;
  try {
    for await (const [batch, said] of askAll(labeller, batches, outputs, { checkInterrupted })) {
      const answers = outputs.map((output): [string, Tensor] => {
        const values = said[output] as Float32Array;
        // Metrics take the rows that only fill a batch with the others.
        const all = new Float32Array((values.length / batch.filled) * batch.rows);
        all.set(values);
        const dims = labeller.outputs[output]?.dims ?? [];
        const sizes = dims.map((dim) => (typeof dim === 'number' ? dim : (batch.sizes[dim] as number)));
        return [output, { type: 'float32', dims: [batch.rows, ...sizes], data: all }];
      });
      measuring.add(Object.fromEntries(answers), batch);
    }
    return measuring.values();
  } finally {
    await labeller.close();
  }
}
