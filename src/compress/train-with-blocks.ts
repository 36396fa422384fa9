import type { Student } from '../students/student.ts';
import { equalized } from './equalize-channels.ts';
import { fakeBlocks } from './fake-blocks.ts';
import { foldedStudent } from './folded-student.ts';
import { withQuantization } from './kept-quantization.ts';
import type { QatOptions } from './qat-options.ts';
import { quantizationError } from './quantization-error.ts';
import { contentsOf, parametersIn, withContents } from './trained-contents.ts';
import { cannotCompress } from './transforms/cannot-compress.ts';
import type { AfterContext, TransformContext, TransformedStudent } from './transforms/transform.ts';

/**
 * Trains the student further with the roundings of the 4-bit file that `export.q4` asks for: weights in blocks, activations in
 * float32. What ships has the scales that such weights have in the training: their largest one over 7, or what was learnt.
 */
export async function trainWithBlocks(
  student: Student,
  { epochs, learningRate, error, keep, equalise, steps }: QatOptions,
  context: AfterContext,
): Promise<TransformedStudent> {
  const { float, start, fake, fourBit } = foreseeBlocks(student, { equalise, steps }, context);
  const layers = fake.rounded.length;
  const cut = await context.measure(fake.student);
  const { student: trained, validation } = await context.retrain('four-bit', fake.student, {
    epochs,
    learningRate,
    ...(keep > 0 && { keep: { graph: float.graph, weight: keep } }),
    terms: error > 0 ? [quantizationError(fake.rounded, error)] : [],
  });
  const contents = contentsOf(trained);
  const graph = withQuantization(withContents(start.graph, contents), {
    activations: new Map(),
    weights: new Map(),
    fourBit: { ...fourBit, steps: fake.steps(contents) },
  });
  return {
    student: { graph, parameters: start.parameters },
    validation,
    summary: `${layers} layers trained with weights of 4 bits (a ${steps === 'learnt' ? 'learnt ' : ''}scale for ${fourBit.block} at most)`,
    rounds: [{ name: 'four-bit', parameters: parametersIn(start), cut, validation }],
  };
}

/**
 * The student as it is going to be trained: with its batch normalisations in the weights before them, and its weights rounded in blocks.
 *
 * @throws LimbeckError `compress.invalid` for a student that leaves without a 4-bit file, or has no layer that would take fewer bytes in it
 */
export function foreseeBlocks(
  student: Student,
  { equalise, steps }: Pick<QatOptions, 'equalise' | 'steps'>,
  context: TransformContext,
) {
  const { fourBit } = context;
  if (!fourBit) {
    throw cannotCompress(
      context,
      'a student that leaves without a 4-bit file has no quantisation to be trained for',
      'Leave the transform out, or ask for the file with `export.q4: true`.',
    );
  }
  const float = foldedStudent(student);
  const start = equalise ? { ...float, graph: equalized(float.graph) } : float;
  const fake = fakeBlocks(start, fourBit, steps);
  if (fake.rounded.length === 0) {
    throw cannotCompress(
      context,
      'the student has no layer that would take fewer bytes in 4 bits',
      'Leave the transform out.',
    );
  }
  return { float, start, fake, fourBit };
}
