/**
 * How far two sets of vectors agree: the mean over samples of the cosine between what both have to say of one. Where samples
 * hold rows of `width` numbers, the mean row of the first set is taken off both first: hidden states share a large part,
 * which would make any two of them look alike.
 *
 * @example
 * const mean = new MeanCosine(512);
 * mean.add(float32Values, int8Values);
 * if (mean.value() < 0.99) ...
 */
export class MeanCosine {
  readonly #width: number | undefined;
  readonly #pairs: [Float32Array, Float32Array][] = [];

  /** @param width of the rows that are comparable with each other; undefined where there are none */
  constructor(width?: number) {
    this.#width = width;
  }

  /** Adds a sample: as many numbers of both. They are kept until the end. */
  add(reference: Float32Array, other: Float32Array): void {
    if (reference.length !== other.length || reference.length % (this.#width ?? 1) !== 0)
      throw new Error(`${reference.length} and ${other.length} numbers are not rows of ${this.#width ?? 1}`);
    this.#pairs.push([reference, other]);
  }

  /** -1 to 1; 1 where both are all zeros, or the same row over and over. NaN of no samples. */
  value(): number {
    const centre = this.#centre();
    const cosines = this.#pairs.map(([a, b]) => cosine(a, b, centre));
    return cosines.reduce((sum, one) => sum + one, 0) / cosines.length;
  }

  #centre(): Float64Array {
    const width = this.#width ?? 1;
    const centre = new Float64Array(width);
    if (this.#width === undefined) return centre;
    let rows = 0;
    for (const [reference] of this.#pairs) {
      for (let i = 0; i < reference.length; i++)
        centre[i % width] = (centre[i % width] as number) + (reference[i] as number);
      rows += reference.length / width;
    }
    return centre.map((sum) => sum / Math.max(1, rows));
  }
}

function cosine(a: Float32Array, b: Float32Array, centre: Float64Array): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const shared = centre[i % centre.length] as number;
    const [x, y] = [(a[i] as number) - shared, (b[i] as number) - shared];
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  if (ofA === 0 && ofB === 0) return 1;
  return ofA === 0 || ofB === 0 ? 0 : product / Math.sqrt(ofA * ofB);
}
