export interface LearningRateSchedule {
  /** The rate after the warm-up. */
  readonly peak: number;
  readonly totalSteps: number;
  /** The part of all steps in which the rate rises linearly, 0 to 1. */
  readonly warmup: number;
  readonly decay: 'cosine' | 'linear' | 'constant';
}

/**
 * The learning rate of step `step` (the first is 0): a linear warm-up, then the decay down to 0 at the last step.
 * Cosine decay without restarts: Loshchilov and Hutter, "SGDR" (2017), equation 5.
 */
export function learningRate(schedule: LearningRateSchedule, step: number): number {
  const { peak, totalSteps, warmup, decay } = schedule;
  const rising = Math.round(warmup * totalSteps);
  if (step < rising) return (peak * (step + 1)) / rising;
  const part = Math.min(1, (step - rising) / Math.max(1, totalSteps - rising));
  if (decay === 'cosine') return (peak * (1 + Math.cos(Math.PI * part))) / 2;
  return decay === 'linear' ? peak * (1 - part) : peak;
}
