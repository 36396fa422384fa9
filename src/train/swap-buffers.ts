import type { Tensor } from '../onnx/tensor.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { CarriedTensor } from './carried.ts';
import { NEXT } from './compile-step.ts';

/** What a step writes of what it reads under some names. */
export function namesAfter(names: Iterable<string>): ReadonlySet<string> {
  return new Set([...names].map((name) => name + NEXT));
}

/**
 * What is carried from step to step, in two sets of buffers: a step reads one and writes the other, then they swap. Nothing
 * is allocated or copied while training. What is overwritten has one buffer, which a step reads and writes.
 */
export class SwapBuffers {
  readonly #carried: readonly CarriedTensor[];
  #current: Record<string, Tensor>;
  #next: Record<string, Tensor>;
  /** Whether a step that fails takes with it what was before it. */
  readonly overwrites: boolean;

  /**
   * @param contents what is there by now, by name, in the place of what a first step begins with
   * @param overwritten names that a step may write over
   * @throws Error for a content of another size than its spec
   */
  constructor(
    carried: readonly CarriedTensor[],
    contents: ReadonlyMap<string, Float32Array> = new Map(),
    overwritten: ReadonlySet<string> = new Set(),
  ) {
    this.#carried = carried;
    this.overwrites = overwritten.size > 0;
    this.#current = allocate(carried, ({ spec, initial }) => {
      return contents.get(spec.name) ?? (initial?.data as Float32Array | undefined);
    });
    const twice = carried.filter(({ spec }) => !overwritten.has(spec.name));
    this.#next = { ...this.#current, ...allocate(twice, () => undefined) };
  }

  /** What the step reads, by name. */
  get feeds(): Readonly<Record<string, Tensor>> {
    return this.#current;
  }

  /** Where the step writes: the same names with `/next`. */
  get fetches(): Readonly<Record<string, Tensor>> {
    return Object.fromEntries(this.#carried.map(({ spec: { name } }) => [name + NEXT, this.#next[name]]));
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

  /** Zeros in the place of what the next step reads. */
  clear(): void {
    for (const { data } of Object.values(this.#current)) (data as Float32Array).fill(0);
  }

  swap(): void {
    [this.#current, this.#next] = [this.#next, this.#current];
  }

  /** The current contents; not copied, valid until the next step. */
  contents(names: readonly string[] = this.#carried.map(({ spec }) => spec.name)): Map<string, Float32Array> {
    return new Map(names.map((name) => [name, this.#current[name].data as Float32Array]));
  }
}

function allocate(
  tensors: readonly CarriedTensor[],
  content: (carried: CarriedTensor) => Float32Array | undefined,
): Record<string, Tensor> {
  return Object.fromEntries(
    tensors.map((carried) => {
      const { spec } = carried;
      const size = elementCount(spec.dims);
      const given = content(carried);
      if (given && given.length !== size)
        throw new Error(`${spec.name} has ${size} elements, not ${given.length}`);
      return [spec.name, { ...spec, data: given ? given.slice() : new Float32Array(size) }];
    }),
  );
}
