import type { Value } from '../../onnx/graph.ts';

/** Of each axis of a tensor, the unit of each index; null for an axis whose size is open. */
export type Axes = readonly (Int32Array | null)[];

/**
 * Indices of tensors' axes that only make sense together: removing a channel of one tensor removes it from all that it reaches.
 * A *unit* is such a set. Units that are found to belong together are joined (union-find); those that nothing may remove are
 * frozen.
 */
export class AxisUnits {
  readonly #parents: number[] = [];
  readonly #frozen: boolean[] = [];
  readonly #axes = new Map<Value, Axes>();

  /** The axes of a tensor, each index a unit of its own when it is first asked for. */
  of(value: Value): Axes {
    let axes = this.#axes.get(value);
    if (!axes) {
      axes = (value.shape ?? []).map((size) =>
        typeof size === 'number' ? Int32Array.from({ length: size }, () => this.#fresh()) : null,
      );
      this.#axes.set(value, axes);
    }
    return axes;
  }

  values(): Iterable<readonly [Value, Axes]> {
    return this.#axes;
  }

  /** The unit that one belongs to by now. */
  root(unit: number): number {
    let root = unit;
    while (this.#parents[root] !== root) root = this.#parents[root] as number;
    // What was gone through points to the root from then on.
    for (let at = unit; at !== root; ) {
      const next = this.#parents[at] as number;
      this.#parents[at] = root;
      at = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [first, second] = [this.root(a), this.root(b)];
    if (first === second) return;
    // The smaller number stays: which unit is called what depends on the graph alone.
    const [low, high] = first < second ? [first, second] : [second, first];
    this.#parents[high] = low;
    if (this.#frozen[high]) this.#frozen[low] = true;
  }

  /** Joins two axes index by index; axes of different or of open sizes are frozen. */
  joinAxes(a: Int32Array | null | undefined, b: Int32Array | null | undefined): void {
    if (a && b && a.length === b.length) {
      for (let i = 0; i < a.length; i++) this.join(a[i], b[i]);
    } else {
      this.freezeAxis(a);
      this.freezeAxis(b);
    }
  }

  freezeAxis(axis: Int32Array | null | undefined): void {
    for (const unit of axis ?? []) this.#frozen[this.root(unit)] = true;
  }

  freeze(value: Value): void {
    for (const axis of this.of(value)) this.freezeAxis(axis);
  }

  isFrozen(unit: number): boolean {
    return this.#frozen[this.root(unit)] === true;
  }

  #fresh(): number {
    const unit = this.#parents.length;
    this.#parents.push(unit);
    this.#frozen.push(false);
    return unit;
  }
}
