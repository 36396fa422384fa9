import type { Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import { equalized } from './equalize-channels.ts';
import { type FakeQuantizedStudent, fakeQuantize, notFinite } from './fake-quantize.ts';
import { foldedStudent } from './folded-student.ts';
import { withQuantization } from './kept-quantization.ts';
import type { QatOptions } from './qat-options.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { quantizationError } from './quantization-error.ts';
import { subPixelConvolutions } from './sub-pixel-convolutions.ts';
import { contentsOf, parametersIn, withContents } from './trained-contents.ts';
import { cannotCompress } from './transforms/cannot-compress.ts';
import type { AfterContext, TransformContext, TransformedStudent } from './transforms/transform.ts';
import { weightForm } from './weight-form.ts';

/**
 * Trains the student further with the roundings of the int8 file that `export.int8` asks for (Jacob et al., 2018), batch
 * normalisations folded into the weights. What ships has the scales and zero points that it was trained with.
 */
export async function trainWithRoundings(
  student: Student,
  chosen: QatOptions,
  context: AfterContext,
): Promise<TransformedStudent> {
  const { int8 } = context;
  if (!int8) {
    throw cannotCompress(
      context,
      'a student that leaves without int8 has no quantisation to be trained for',
      'Leave the transform out, or take out `export.int8: false`.',
    );
  }
  const float = foreseeRoundings(student, context);
  const start = chosen.equalise ? { ...float, graph: equalized(float.graph) } : float;
  const layers = quantizableLayers(start.graph).length;
  const { epochs, learningRate, error, keep, freeze, momentum } = chosen;
  const ranges = await int8.ranges(start.graph);
  const fake = fakeQuantize(start, {
    ...int8.weights,
    ranges: new Map([...ranges].map(([name, { min, max }]) => [name, [min, max] as const])),
    steps:
      chosen.steps === 'learnt'
        ? { kind: 'learnt' }
        : { kind: 'observed', momentum, freezeAfter: Math.round(freeze * context.stepsIn(epochs)) },
  });
  const cut = await context.measure(fake.student);
  const { student: trained, validation } = await context.retrain('quantised', fake.student, {
    epochs,
    learningRate,
    ...(keep > 0 && { keep: { graph: float.graph, weight: keep } }),
    terms: error > 0 ? [quantizationError(fake.rounded, error)] : [],
    inspect: (tensors) => requireFinite(fake, tensors),
  });
  const contents = contentsOf(trained);
  const graph = withQuantization(withContents(start.graph, contents), fake.trained(contents));
  const { scales, levels } = weightForm(int8.weights);
  return {
    student: { graph, parameters: start.parameters },
    validation,
    summary: `${layers} layers trained with the roundings of int8 (weights of ${Math.log2(levels + 1) + 1} bits, a scale for each ${scales})`,
    rounds: [{ name: 'quantised', parameters: parametersIn(start), cut, validation }],
  };
}

/**
 * The student as it is going to be trained: with its batch normalisations in the weights before them, and transposed convolutions as
 * plain ones.
 *
 * @throws LimbeckError `compress.invalid` for a student without a layer that int8 is made for
 */
export function foreseeRoundings(student: Student, context: TransformContext): Student {
  const { graph, parameters } = foldedStudent(student);
  const folded = { graph: subPixelConvolutions(graph), parameters };
  if (quantizableLayers(folded.graph).length > 0) return folded;
  throw cannotCompress(context, 'the student has no layer that int8 is made for', 'Leave the transform out.');
}

/** Observers that saw what is no number: everything after them is lost, though a clipped activation hides it. */
function requireFinite({ observers }: FakeQuantizedStudent, tensors: Readonly<Record<string, Tensor>>): void {
  for (const [name, layer] of observers) {
    const end = Number(tensors[name]?.data[0] ?? 0);
    if (!Number.isFinite(end)) throw notFinite(`layer '${layer}', ${name}`, end, end);
  }
}
