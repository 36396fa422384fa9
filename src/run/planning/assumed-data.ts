import type { Task, TaskData } from '../context/task.ts';
import { requireTrainable } from '../data/require-trainable.ts';
import { answerDims } from '../heads/answer-dims.ts';
import { withTaughtTruth } from '../heads/taught-truth.ts';

/** The data of a run before it; of outputs that only the teacher knows, with what it has not said yet. */
export async function assumedData(task: Task): Promise<TaskData> {
  const prepared = await task.prepareData({});
  try {
    requireTrainable(prepared);
  } catch (error) {
    prepared.dataset.close();
    throw error;
  }
  const data = withTaughtTruth(prepared);
  if (!data.taughtTruth) return data;
  const dims = answerDims(data.buildStudent().graph, data.heads);
  data.taughtTruth.assume(new Map([...dims].map(([output, sizes]) => [output, sizes.map(Number)])));
  return data;
}
