/** The sums of one group (a token, a region, a class), a number for each column. */
export interface Group {
  readonly name: string;
  readonly sums: Float64Array;
  occurrences: number;
}

/**
 * Sums by group in a memory that does not grow with the sample: above twice `limit` groups, those of the smallest
 * `size` are folded into one. A group that was folded and comes again begins anew, so its sums are too small: what is
 * large is told well, the tail is not.
 */
export class GroupSums {
  /** Over all groups. */
  readonly total: Float64Array;
  readonly #groups = new Map<string, Group>();
  readonly #limit: number;
  readonly #size: (group: Group) => number;
  #foldedGroups = 0;

  constructor(columns: number, limit: number, size: (group: Group) => number) {
    this.total = new Float64Array(columns);
    this.#limit = limit;
    this.#size = size;
  }

  /** A group, to be added to; what is added is added to `total` as well by the caller. */
  of(name: string): Group {
    let group = this.#groups.get(name);
    if (!group) {
      group = { name, sums: new Float64Array(this.total.length), occurrences: 0 };
      this.#groups.set(name, group);
      if (this.#groups.size > 2 * this.#limit) this.#fold(group);
    }
    return group;
  }

  /** All groups that are kept, the first by `rank` first, and how many were folded. */
  ranked(rank: (group: Group) => number): { groups: readonly Group[]; folded: number } {
    return { groups: this.#ordered(rank), folded: this.#foldedGroups };
  }

  #fold(newest: Group): void {
    for (const group of this.#ordered(this.#size).slice(this.#limit)) {
      if (group === newest) continue;
      this.#groups.delete(group.name);
      this.#foldedGroups++;
    }
  }

  #ordered(rank: (group: Group) => number): Group[] {
    return [...this.#groups.values()].sort((a, b) => rank(b) - rank(a) || (a.name < b.name ? -1 : 1));
  }
}
