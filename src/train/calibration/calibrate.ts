import type { Engine } from '../../engine/engine.ts';
import type { WeightGradientForm } from '../../onnx/blocked/noted-convolution.ts';
import type { DataType } from '../../onnx/data-type.ts';
import { type ConvolutionForm, convolutionsIn, type Formulations } from '../../onnx/formulations.ts';
import type { Node } from '../../onnx/graph.ts';
import { bindDims } from '../../onnx/passes/bind-dims.ts';
import { float32, type Tensor, zeros } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { compileStep, type StepOptions } from '../compile-step.ts';
import { SwapBuffers } from '../swap-buffers.ts';
import { channelBlock } from './channel-block.ts';
import { convolutionTrial, formsOf, normal, weightFormsOf } from './convolution-trials.ts';
import { processorTimes, type Timed } from './processor-time.ts';

/** A form that is faster by less than this is not: two measurements of the same model differ by as much. */
const LEAST_GAIN = 0.03;

/** What a calibration found. Times are processor time in milliseconds. */
export interface Calibration {
  /** Absent where the step is fastest as it is without. */
  readonly formulations?: Formulations;
  /** Of each convolution's trial, forward and backward, by form. */
  readonly trials: Readonly<Record<string, Readonly<Partial<Record<ConvolutionForm, number>>>>>;
  /** Of the same, for the forms of the gradient of its weights. */
  readonly weightTrials: Readonly<Record<string, Readonly<Partial<Record<WeightGradientForm, number>>>>>;
  /** Of the whole step, as it is without a calibration and as was chosen. */
  readonly step: { readonly before: number; readonly after: number };
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
  return convolutionsIn(bindDims(student.graph, sizes));
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
  const gradientForms: Record<string, WeightGradientForm> = {};
  const trials: Record<string, Partial<Record<ConvolutionForm, number>>> = {};
  const weightTrials: Record<string, Partial<Record<WeightGradientForm, number>>> = {};
  for (const [key, node] of convolutions) {
    const forms = formsOf(node, block);
    const batch = node.inputs[0]?.shape?.[0] as number;
    const ofImage = images.has(node.inputs[0]?.name ?? '');
    const trial = { block, batch, ofImage };
    const measured = async <Form extends string>(among: readonly Form[], model: (form: Form) => Timed) => {
      const times = await processorTimes(engine, among.map(model), signal);
      const byForm = Object.fromEntries(among.map((form, i) => [form, times[i]])) as Record<Form, number>;
      return { byForm, best: among[fastest(times)] as Form };
    };
    // Forms that were measured and did not win are named too, so that no rule of thumb decides.
    let form = forms[0] as ConvolutionForm;
    if (forms.length > 1) {
      const found = await measured(forms, (each) => convolutionTrial(key, node, each, trial));
      trials[key] = found.byForm;
      form = found.best;
      chosen[key] = form;
    }
    const weightForms = weightFormsOf(node, form, block);
    if (weightForms.length < 2) continue;
    const found = await measured(weightForms, (weightForm) =>
      convolutionTrial(key, node, form, { ...trial, weightForm }),
    );
    weightTrials[key] = found.byForm;
    gradientForms[key] = found.best;
  }
  if (signal?.aborted || Object.keys(trials).length + Object.keys(weightTrials).length === 0)
    return undefined;
  const alone: Formulations = { block, convolutions: chosen, weightGradients: gradientForms };
  // A stretch of convolutions in blocks has fewer reorders than each of them alone.
  const together: Formulations = {
    ...alone,
    convolutions: { ...chosen, ...blockedWhereTheyCan(convolutions, block) },
  };
  // One after the other: the memory of two steps at once could be more than there is.
  const timeOf = async (formulations: Formulations | undefined) =>
    (await processorTimes(engine, [wholeStep({ ...options, formulations })], signal))[0] as number;
  const before = await timeOf(undefined);
  let best: { readonly formulations: Formulations; readonly after: number } | undefined;
  for (const formulations of isSame(alone, together) ? [alone] : [alone, together]) {
    const after = await timeOf(formulations);
    if (after < (best?.after ?? before * (1 - LEAST_GAIN))) best = { formulations, after };
  }
  if (signal?.aborted) return undefined;
  const found = { trials, weightTrials };
  if (!best) return { ...found, step: { before, after: before } };
  return { ...found, formulations: best.formulations, step: { before, after: best.after } };
}

function isSame(a: Formulations, b: Formulations): boolean {
  return Object.entries(b.convolutions).every(([key, form]) => a.convolutions[key] === form);
}

function blockedWhereTheyCan(
  convolutions: ReadonlyMap<string, Node>,
  block: number,
): Record<string, ConvolutionForm> {
  const can = [...convolutions].filter(([, node]) => formsOf(node, block).includes('blocked'));
  return Object.fromEntries(can.map(([key]) => [key, 'blocked']));
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
