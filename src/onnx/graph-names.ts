/** The names of a graph's values and nodes, which are made in nested scopes (`encoder/layer_1/`) and unique. */
export class GraphNames {
  readonly #values = new Set<string>();
  readonly #nodes = new Set<string>();
  /** Of nodes that are still to be copied: nothing else gets them. */
  readonly #reserved = new Set<string>();
  readonly #counters = new Map<string, number>();
  #scope = '';

  /** Names made inside `body` begin with `prefix/`. */
  within<T>(prefix: string, body: () => T): T {
    return this.#in(`${this.#scope}${prefix}/`, body);
  }

  /** Names made inside `body` begin with nothing. */
  outside<T>(body: () => T): T {
    return this.#in('', body);
  }

  /** A name as it is inside the current scope. */
  scoped(name: string): string {
    return `${this.#scope}${name}`;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Whether nothing has this name (inside the current scope), or is going to have it. */
  isFree(name: string): boolean {
    return !this.#values.has(this.scoped(name)) && !this.#reserved.has(this.scoped(name));
  }

  /** Keeps a name (inside the current scope) for a value that is to be copied. */
  reserve(name: string): void {
    this.#reserved.add(this.scoped(name));
  }

  /** Takes a name for a value. @throws Error where it is taken */
  claim(name: string): string {
    if (this.#values.has(name)) throw new Error(`the name ${name} is taken`);
    this.#values.add(name);
    return name;
  }

  /** `stem_3`: the next unused number for this stem. */
  fresh(stem: string): string {
    let count = this.#counters.get(stem) ?? 0;
    const isTaken = (name: string) =>
      this.#values.has(name) || this.#reserved.has(name) || this.#nodes.has(name);
    while (isTaken(`${stem}_${count}`)) count++;
    this.#counters.set(stem, count + 1);
    return `${stem}_${count}`;
  }

  /** Takes a name for a node. A graph that is copied twice has two nodes of each, which need names of their own. */
  claimForNode(name: string): string {
    let free = name;
    for (let count = 1; this.#nodes.has(free); count++) free = `${name}_${count}`;
    this.#nodes.add(free);
    return free;
  }

  /** `name` itself when it is free in the current scope, else the next number for it. */
  unused(name: string): string {
    if (!this.#values.has(this.scoped(name))) return name;
    return this.fresh(this.scoped(name)).slice(this.#scope.length);
  }

  #in<T>(scope: string, body: () => T): T {
    const before = this.#scope;
    this.#scope = scope;
    try {
      return body();
    } finally {
      this.#scope = before;
    }
  }
}
