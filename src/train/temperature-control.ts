import { TEMPERATURE } from '../objectives/kd-logits.ts';
import { float32 } from '../onnx/tensor.ts';
import type { LearningRateSchedule } from '../weighting/learning-rate.ts';
import { temperatureAt } from '../weighting/temperature.ts';
import type { StepControl } from './step-control.ts';

/** Feeds steps the temperature of `kd` as it falls with the learning rate, under its input's name; a function of the step alone. */
export function temperatureControl(
  start: number,
  schedule: LearningRateSchedule,
  name: string = TEMPERATURE,
): StepControl {
  let told = start;
  return {
    name,
    feeds({ step }) {
      told = temperatureAt(start, schedule, step);
      return { [name]: float32([told], []) };
    },
    metrics: () => ({ [name]: told }),
  };
}
