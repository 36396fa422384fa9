import type { TaskData } from '../tasks/task.ts';
import { TEXT_INPUTS } from '../text-batches.ts';
import type { PlanningContext } from './planning-context.ts';

/** What int8 models are calibrated on, as the run itself has it. */
export function calibrated({
  dataset,
}: Pick<PlanningContext, 'dataset'>): Pick<TaskData, 'dataset' | 'inputs' | 'calibrationMask'> {
  return { dataset, inputs: TEXT_INPUTS, calibrationMask: 'attention_mask' };
}
