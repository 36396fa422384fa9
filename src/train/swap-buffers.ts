import type { Tensor } from '../onnx/tensor.ts';
import { elementCount } from '../onnx/tensor.ts';
import { NEXT } from './compile-step.ts';
import type { TensorSpec } from './step-graph.ts';

/**
 * Parameters, running statistics and optimizer state in two sets of buffers: a step reads one and writes the other, then they swap.
 * Nothing is allocated or copied while training.
 */
export class SwapBuffers {
  readonly #specs: readonly TensorSpec[];
  #current: Record<string, Tensor>;
  #next: Record<string, Tensor>;

  /** Tensors that `initial` does not name start as zeros. Throws when a content has another size than its spec. */
  constructor(specs: readonly TensorSpec[], initial: ReadonlyMap<string, Float32Array>) {
    this.#specs = specs;
    this.#current = this.#allocate((spec) => initial.get(spec.name));
    this.#next = this.#allocate(() => undefined);
  }

  /** What the step reads, by name. */
  get feeds(): Readonly<Record<string, Tensor>> {
    return this.#current;
  }

  /** Where the step writes: the same names with `/next`. */
  get fetches(): Readonly<Record<string, Tensor>> {
    return Object.fromEntries(this.#specs.map(({ name }) => [name + NEXT, this.#next[name]]));
  }

  /** Copies contents into what the next step reads; names that it has no buffer for are ignored. */
  fill(contents: ReadonlyMap<string, Float32Array>): void {
    for (const [name, data] of contents) {
      const into = this.#current[name]?.data as Float32Array | undefined;
      if (into && into.length !== data.length)
        throw new Error(`${name} has ${into.length} elements, not ${data.length}`);
      into?.set(data);
    }
  }

  swap(): void {
    [this.#current, this.#next] = [this.#next, this.#current];
  }

  /** The current contents; not copied, valid until the next step. */
  contents(names: readonly string[] = this.#specs.map(({ name }) => name)): Map<string, Float32Array> {
    return new Map(names.map((name) => [name, this.#current[name].data as Float32Array]));
  }

  #allocate(content: (spec: TensorSpec) => Float32Array | undefined): Record<string, Tensor> {
    return Object.fromEntries(
      this.#specs.map((spec) => {
        const size = elementCount(spec.dims);
        const given = content(spec);
        if (given && given.length !== size)
          throw new Error(`${spec.name} has ${size} elements, not ${given.length}`);
        return [spec.name, { ...spec, data: given ? given.slice() : new Float32Array(size) }];
      }),
    );
  }
}
