import { identityModel } from '../engine/identity-model.ts';
import { float32 } from '../onnx/tensor.ts';
import { type RunLimits, runOn } from './index.ts';
import type { RuntimeName } from './measurement.ts';

/** What a runtime says of itself that has run a smallest model. */
export interface StartedRuntime {
  readonly title: string;
  /** Whether it computes on the processor what is meant for a graphics card. */
  readonly isSoftware: boolean;
  /** From nothing to its end, with the process or browser that it runs in. */
  readonly seconds: number;
}

/**
 * Starts a runtime, has it run a smallest model, and ends it: whether it is there at all.
 *
 * @throws LimbeckError as `runOn`: `measure.no-runtime` where the browser, onnxruntime-web or an adapter is missing
 */
export async function startRuntime(
  on: RuntimeName,
  threads: number,
  limits: RunLimits,
): Promise<StartedRuntime> {
  const began = performance.now();
  const answered = [{ x: float32([42]) }];
  const asked = { model: identityModel(), threads, seconds: 0, one: [], many: [], answered, untimed: true };
  const { answers, title, isSoftware = false } = await runOn(on, asked, limits);
  if (answers[0]?.y?.data[0] !== 42) throw new Error(`${on} computes wrong numbers`);
  return { title, isSoftware, seconds: (performance.now() - began) / 1000 };
}
