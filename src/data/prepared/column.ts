const CHUNK = 1 << 16;

/**
 * A growing list of small numbers in chunks of 65,536: what preparing a data set holds in memory for each sample.
 * Growing copies nothing, so memory never peaks above the numbers themselves.
 */
export class Column<A extends Uint8Array | Int32Array | Uint32Array> {
  readonly #chunks: A[] = [];
  readonly #make: (length: number) => A;
  #length = 0;

  constructor(make: (length: number) => A) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length % CHUNK === 0) this.#chunks.push(this.#make(CHUNK));
    this.set(this.#length++, value);
  }

  get(index: number): number {
    return (this.#chunks[index >>> 16] as A)[index & (CHUNK - 1)] as number;
  }

  set(index: number, value: number): void {
    (this.#chunks[index >>> 16] as A)[index & (CHUNK - 1)] = value;
  }
}
