import { expect } from 'vitest';
import type { Recipe, RunOptions } from '../../src/index.ts';
import { train } from '../../src/index.ts';

/**
 * Trains until a step of a training is told, and ends there as a process that is killed does: nothing is written any more. What is
 * there then are the checkpoints of before.
 *
 * @param task as its progress is told: `training`, `qat quantised`
 */
export async function cutOff(recipe: Recipe, options: RunOptions, task: string, step: number): Promise<void> {
  const killed = new Error('killed');
  const run = train(recipe, {
    ...options,
    onEvent: (event) => {
      if (event.type === 'progress' && event.task === task && event.done === step) throw killed;
    },
  });
  await expect(run).rejects.toBe(killed);
}

/** Trains to the end, and gives the steps of a training that were done now. */
export async function goOn(recipe: Recipe, options: RunOptions, task: string): Promise<number[]> {
  const steps: number[] = [];
  await train(recipe, {
    ...options,
    onEvent: (event) => event.type === 'progress' && event.task === task && steps.push(event.done),
  });
  return steps;
}
