import { gradients } from '../../autodiff/gradients.ts';
import { weightGradientForm } from '../../autodiff/rules/convolution-gradients.ts';
import type { WeightGradientForm } from '../../onnx/blocked/noted-convolution.ts';
import { convolutionShared, samplesShared } from '../../onnx/blocked/shared-blocks.ts';
import { hasBlockedWeightGradient } from '../../onnx/blocked/weight-gradient.ts';
import type { ConvolutionForm, Formulations } from '../../onnx/formulations.ts';
import { type Graph, intAttribute, type Node, type TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { filteringOf, lowerConvolutions } from '../../onnx/passes/lower-convolutions.ts';
import { lowerDepthwise, matricesOf } from '../../onnx/passes/lower-depthwise.ts';
import { elementCount, float32, type Tensor } from '../../onnx/tensor.ts';
import { windowGeometry } from '../../onnx/window-geometry.ts';
import { type RandomStream, randomStream } from '../../random.ts';
import { forRunning } from '../compile-step.ts';
import type { Timed } from './processor-time.ts';

export interface TrialOptions {
  readonly block: number;
  readonly batch: number;
  readonly ofImage: boolean;
  /** How the gradient of its weights is computed; as the form has it when absent. */
  readonly weightForm?: WeightGradientForm;
}

/** Products with as many channels as samples in the place of channels are slow for more channels than these. */
const MOST_SWAPPED = 8;

/** A batch of this many shows which form is fastest, in a fraction of a whole batch's time. */
const SAMPLES = 32;

/** The forms that a convolution can have where a block has so many channels, its form without a measurement first. */
export function formsOf(node: Node, block: number): ConvolutionForm[] {
  const others = { filtering: filteringOf(node), matrices: matricesOf(node) };
  const forms: ConvolutionForm[] = ['plain'];
  for (const form of ['filtering', 'matrices'] as const) {
    if (others[form]?.pays) forms.unshift(form);
    else if (others[form]) forms.push(form);
  }
  const [outputs, inputs] = sizesOf(node, 1);
  const group = intAttribute(node, 'group', 1);
  const depthwise = group > 1 && inputs === 1 && outputs === group;
  if (block === 0 || (group > 1 && !depthwise)) return forms;
  const shared = convolutionShared(depthwise ? outputs : inputs, outputs, block);
  const [batch] = sizesOf(node, 0);
  if (shared !== undefined && batch % shared === 0) forms.push('blocked');
  return forms;
}

/** The forms that the gradient of its weights can have where the convolution has a form, the one without a measurement first. */
export function weightFormsOf(node: Node, form: ConvolutionForm, block: number): WeightGradientForm[] {
  const [x, w] = node.inputs as [TypedValue, TypedValue];
  const group = intAttribute(node, 'group', 1);
  const [outputs, inputs, ...kernel] = sizesOf(node, 1);
  const dy = node.outputs[0] as TypedValue;
  const geometry = windowGeometry(node, kernel, x.shape);
  if (group !== 1 || !geometry || form === 'filtering' || !dy.shape) return [];
  const convolution = { geometry, group };
  const own = weightGradientForm(convolution, x, w, dy);
  const others = (['places', 'columns', 'swapped'] as const).filter(
    (other) => other !== own && (other !== 'swapped' || inputs <= MOST_SWAPPED),
  );
  const shared = samplesShared(outputs, block);
  const whole = [outputs * (shared ?? 1), inputs * (shared ?? 1), ...kernel];
  const isBlocked =
    form === 'blocked' &&
    shared !== undefined &&
    hasBlockedWeightGradient(convolution, whole, dy.shape as number[], block);
  return isBlocked ? ['blocked', own, ...others] : [own, ...others];
}

/**
 * A convolution as networks have it, with a batch normalisation and an activation behind it, and all gradients: what a
 * form costs is forward and backward together. `ofImage` leaves out the gradient of its input, which no training asks for.
 */
export function convolutionTrial(
  key: string,
  node: Node,
  form: ConvolutionForm,
  { block, batch, ofImage, weightForm }: TrialOptions,
): Timed {
  const formulations: Formulations = {
    block,
    convolutions: { [key]: form },
    ...(weightForm && { weightGradients: { [key]: weightForm } }),
  };
  const [, ...sizes] = sizesOf(node, 0);
  const weights = sizesOf(node, 1);
  const shapes = {
    x: [Math.min(batch, SAMPLES), ...sizes],
    w: [...weights],
    scale: [weights[0] as number],
    shift: [weights[0] as number],
  };
  const g = new GraphBuilder();
  const inputs = Object.entries(shapes).map(([name, dims]) => g.input(name, 'float32', dims));
  const names = Object.keys(shapes);
  const bound = new Map(inputs.map((value, i): [string, TypedValue] => [names[i] as string, value]));
  const forward = lowerConvolutions(lowerDepthwise(forwardOf(node, shapes), formulations), formulations);
  const y = g.inline(forward, bound).get('activated') as TypedValue;
  const loss = g.reduceSum(g.square(y), { keepDims: false });
  const wanted = ofImage ? inputs.slice(1) : inputs;
  gradients(g, loss, wanted).forEach((gradient, i) => {
    // Of large results a number for each channel: copying them out is not what is measured.
    const result = gradient as TypedValue;
    const isInput = wanted[i] === inputs[0];
    g.output(isInput ? g.reduceMean(result, { axes: [0, 2, 3] }) : result, `gradient/${i}`);
  });
  const random = randomStream(1, 'calibration');
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, dims]) => [name, normal(dims, random)]),
  );
  return { graph: forRunning(g.build(), formulations), feeds };
}

/** The sizes of an input of a node that `convolutionsIn` found: all are numbers. */
function sizesOf(node: Node, input: 0 | 1): readonly number[] {
  return (node.inputs[input] as TypedValue).shape as number[];
}

function forwardOf(node: Node, shapes: Readonly<Record<'x' | 'w' | 'scale' | 'shift', number[]>>): Graph {
  const g = new GraphBuilder();
  const value = (name: keyof typeof shapes) => g.input(name, 'float32', shapes[name]);
  const [x, w, scale, shift] = [value('x'), value('w'), value('scale'), value('shift')];
  const y = g.op('Conv', [x, w], Object.fromEntries(node.attributes));
  const zeros = g.fill(shapes.scale, 0);
  const normalized = g.node(
    'BatchNormalization',
    [y, scale, shift, zeros, zeros],
    { training_mode: 1 },
    { outputs: 3 },
  );
  g.output(g.relu(normalized[0] as TypedValue), 'activated');
  return g.build();
}

export function normal(dims: readonly number[], random: RandomStream): Tensor {
  return float32(
    Float32Array.from({ length: elementCount(dims) }, () => random.normal()),
    dims,
  );
}
