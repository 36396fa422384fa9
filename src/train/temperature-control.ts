import { TEMPERATURE } from '../objectives/kd-logits.ts';
import { float32 } from '../onnx/tensor.ts';
import type { LearningRateSchedule } from '../weighting/learning-rate.ts';
import { temperatureAt } from '../weighting/temperature.ts';
import type { StepControl } from './step-control.ts';

/** Feeds steps the temperature of `kd` as it falls with the learning rate; a function of the step alone. */
export function temperatureControl(start: number, schedule: LearningRateSchedule): StepControl {
  let told = start;
  return {
    name: TEMPERATURE,
    feeds({ step }) {
      told = temperatureAt(start, schedule, step);
      return { [TEMPERATURE]: float32([told], []) };
    },
    metrics: () => ({ [TEMPERATURE]: told }),
  };
}
