import { LimbeckError } from '../../errors.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { TensorSpec } from '../step-graph.ts';

type Sizes = Readonly<Record<string, number>>;

/**
 * The sizes of one of several parts of a batch.
 *
 * @throws LimbeckError `train.accumulate` where a batch cannot be split evenly
 */
export function partSizes(sizes: Sizes, parts: number): Sizes {
  const { batch = 1 } = sizes;
  if (batch % parts === 0) return { ...sizes, batch: batch / parts };
  throw new LimbeckError(
    'train.accumulate',
    `batches of ${batch} rows cannot be split into ${parts} equal parts`,
    {
      where: 'training.accumulate',
      remedy:
        'Choose a number that divides training.batchSize (and the number of images, where there are fewer).',
    },
  );
}

/**
 * What one part of a batch is fed: the tensors that a model takes, and of those whose first axis counts the rows of the
 * whole batch the part's rows. Nothing is copied.
 *
 * @param inputs of the model that takes a part, by which rows are known from other axes
 */
export function partFeeds(
  feeds: Readonly<Record<string, Tensor>>,
  inputs: readonly TensorSpec[],
  part: number,
): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.flatMap(({ name, dims }) => {
      const given = feeds[name];
      return given ? [[name, rowsOf(given, dims, part)]] : [];
    }),
  );
}

function rowsOf(given: Tensor, dims: readonly number[], part: number): Tensor {
  if (given.dims.join() === dims.join()) return given;
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = (given.data as Float32Array).subarray(part * size, (part + 1) * size);
  return { type: given.type, dims, data };
}
