import type { Engine } from '../../engine/engine.ts';
import type { DataType } from '../../onnx/data-type.ts';
import { type ConvolutionForm, convolutionsIn, type Formulations } from '../../onnx/formulations.ts';
import type { Node } from '../../onnx/graph.ts';
import { bindDims } from '../../onnx/passes/bind-dims.ts';
import { lowerDepthwise } from '../../onnx/passes/lower-depthwise.ts';
import { float32, type Tensor, zeros } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { compileStep, type StepOptions } from '../compile-step.ts';
import { SwapBuffers } from '../swap-buffers.ts';
import { channelBlock } from './channel-block.ts';
import { convolutionTrial, formsOf, normal } from './convolution-trials.ts';
import { processorTimes, type Timed } from './processor-time.ts';

/** A form that is faster by less than this is not: two measurements of the same model differ by as much. */
const LEAST_GAIN = 0.03;

/** What a calibration found. Times are processor time in milliseconds. */
export interface Calibration {
  /** Absent where the step is fastest as it is without. */
  readonly formulations?: Formulations;
  /** Of each convolution's trial, forward and backward, by form. */
  readonly trials: Readonly<Record<string, Readonly<Partial<Record<ConvolutionForm, number>>>>>;
  /** Of the whole step, as it is without a calibration and as was chosen; absent where nothing else was chosen. */
  readonly step?: { readonly before: number; readonly after: number };
}

export interface CalibrationOptions extends StepOptions {
  readonly engine: Engine;
  readonly signal?: AbortSignal | undefined;
}

/** The convolutions of a step over images, one of each kind, by `convolutionKey`. */
export function stepConvolutions({
  student,
  sizes,
}: Pick<StepOptions, 'student' | 'sizes'>): ReadonlyMap<string, Node> {
  return convolutionsIn(lowerDepthwise(bindDims(student.graph, sizes)));
}

/**
 * Measures on this machine how the convolutions of a training step are computed fastest: each kind alone in all forms that
 * it can have, then the whole step with what was chosen against the step without. undefined where there is nothing to
 * choose. It takes about as long as 20 steps.
 */
export async function calibrate(options: CalibrationOptions): Promise<Calibration | undefined> {
  const { engine, student, signal } = options;
  const convolutions = stepConvolutions(options);
  if (convolutions.size === 0) return undefined;
  const block = await channelBlock(engine);
  const images = new Set(student.graph.inputs.map(({ name }) => name));
  const chosen: Record<string, ConvolutionForm> = {};
  const trials: Record<string, Partial<Record<ConvolutionForm, number>>> = {};
  for (const [key, node] of convolutions) {
    const forms = formsOf(node, block);
    if (forms.length < 2) continue;
    const batch = node.inputs[0]?.shape?.[0] as number;
    const ofImage = images.has(node.inputs[0]?.name ?? '');
    const models = forms.map((form) => convolutionTrial(key, node, form, { block, batch, ofImage }));
    const times = await processorTimes(engine, models, signal);
    trials[key] = Object.fromEntries(forms.map((form, i) => [form, times[i] as number]));
    const best = fastest(times);
    // Forms that were measured and did not win are named too, so that no rule of thumb decides.
    chosen[key] = forms[best] as ConvolutionForm;
  }
  if (signal?.aborted || Object.keys(trials).length === 0) return undefined;
  const formulations = { block, convolutions: chosen };
  const isOther = [...convolutions].some(
    ([key, node]) => chosen[key] !== undefined && chosen[key] !== formsOf(node, block)[0],
  );
  if (!isOther) return { trials };
  // One after the other: the memory of two steps at once could be more than there is.
  const timeOf = async (form: Formulations | undefined) =>
    (await processorTimes(engine, [wholeStep({ ...options, formulations: form })], signal))[0] as number;
  const before = await timeOf(undefined);
  const after = await timeOf(formulations);
  if (signal?.aborted) return undefined;
  const step = { before, after };
  return after < before * (1 - LEAST_GAIN) ? { formulations, trials, step } : { trials, step };
}

/** The first form, unless another one is clearly faster. */
function fastest(times: readonly number[]): number {
  const best = times.indexOf(Math.min(...times));
  return (times[best] as number) < (times[0] as number) * (1 - LEAST_GAIN) ? best : 0;
}

/** A step with made-up contents. */
function wholeStep(options: StepOptions): Timed {
  const { graph, carried, batchInputs } = compileStep(options);
  const random = randomStream(1, 'calibration');
  const batch = batchInputs.map(({ name, type, dims }): [string, Tensor] => [
    name,
    type === 'float32' && dims.length > 0 ? normal(dims, random) : ones(type, dims),
  ]);
  const scalars = { learning_rate: float32([1e-4], []), step: float32([1], []) };
  return { graph, feeds: { ...new SwapBuffers(carried).feeds, ...Object.fromEntries(batch), ...scalars } };
}

/** Ids, masks and classes that every model has, and settings that make sense. */
function ones(type: DataType, dims: readonly number[]): Tensor {
  const whole = zeros(type as Exclude<DataType, 'string'>, dims);
  if (type === 'int64') (whole.data as BigInt64Array).fill(1n);
  else (whole.data as Int32Array).fill(1);
  return whole;
}
