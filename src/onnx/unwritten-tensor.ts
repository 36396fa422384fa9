import type { Tensor } from './tensor.ts';

/** A float32 tensor of which only the sizes are known yet: it stands in a graph that is being recorded, until its content is made. */
export class UnwrittenTensor implements Pick<Tensor, 'dims'> {
  readonly type = 'float32';
  readonly dims: readonly number[];

  constructor(dims: readonly number[]) {
    this.dims = dims;
  }

  get data(): Float32Array {
    throw new Error('this tensor has no content yet');
  }
}
