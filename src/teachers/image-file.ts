import { basename } from 'node:path';
import { LimbeckError } from '../errors.ts';
import { readModelFile } from '../onnx/node-files.ts';
import { type ImageTeacherSource, LOGITS, PIXEL_VALUES } from './teacher-source.ts';
import { describeValue } from './text-model.ts';

/**
 * A person's own ONNX classifier of pictures: input `pixel_values`, float32 [batch, channels, height, width], whose
 * sizes but for the batch are known; output `logits`, float32 [batch, classes].
 *
 * @throws LimbeckError `teacher.inputs`, `teacher.outputs` (saying what the model has), and what reading throws.
 */
export function openImageFile(path: string): ImageTeacherSource {
  const model = readModelFile(path);
  const [input] = model.inputs;
  const dims = input?.shape?.slice(1);
  const fits =
    model.inputs.length === 1 &&
    input?.name === PIXEL_VALUES &&
    input.type === 'float32' &&
    dims?.length === 3 &&
    dims.every((size) => typeof size === 'number');
  if (!fits) {
    throw new LimbeckError(
      'teacher.inputs',
      `the model has no single input '${PIXEL_VALUES}' of known size`,
      {
        where: `${path}: its inputs are ${model.inputs.map(describeValue).join('; ')}`,
        remedy: `Export it with the input ${PIXEL_VALUES}, float32 [batch, channels, height, width].`,
      },
    );
  }
  const logits = model.outputs.find((output) => output.name === LOGITS);
  if (logits?.type !== 'float32' || logits.shape?.length !== 2) {
    throw new LimbeckError(
      'teacher.outputs',
      `the model has no output '${LOGITS}', float32 [batch, classes]`,
      {
        where: `${path}: its outputs are ${model.outputs.map(describeValue).join('; ')}`,
        remedy: 'Export it as an image classifier.',
      },
    );
  }
  return {
    title: basename(path),
    model,
    logitsOutput: LOGITS,
    dims: dims as unknown as [number, number, number],
  };
}
