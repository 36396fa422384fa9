import { elementCount, float32, type Tensor } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';

/** A float32 tensor of numbers between -1 and 1, the same for the same name. */
export function randomTensor(name: string, dims: readonly number[]): Tensor {
  const stream = randomStream(3, name);
  return float32(
    Float32Array.from({ length: elementCount(dims) }, () => 2 * stream.uniform() - 1),
    dims,
  );
}
