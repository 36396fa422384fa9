/** The name of something that a stage makes and later ones need; its type says what that is. */
export interface Artifact<T> {
  readonly name: string;
  /** Whether a stage does without it where nothing made it. */
  readonly optional?: boolean;
  /** Of the type alone: no artifact has it. */
  readonly value?: T;
}

/** By the names that a stage calls them by: what it needs. */
export type ArtifactsOf<Values> = { readonly [Name in keyof Values]: Artifact<Values[Name]> };

/**
 * Names what a stage makes.
 *
 * @example
 * const SUMS = artifact<string[]>('sums');
 */
export function artifact<T>(name: string): Artifact<T> {
  return { name };
}

/** The same for a stage that does without it. */
export function optional<T>({ name }: Artifact<T>): Artifact<T | undefined> {
  return { name, optional: true };
}

/** What was made so far, by name. */
export class Artifacts {
  readonly #made = new Map<string, unknown>();

  /** Keeps a value; undefined says that none was made. */
  set<T>({ name }: Artifact<T>, value: T): void {
    if (value !== undefined) this.#made.set(name, value);
  }

  /** Undefined where nothing made it. */
  find<T>({ name }: Artifact<T>): T | undefined {
    return this.#made.get(name) as T | undefined;
  }

  get<T>(wanted: Artifact<T>): T {
    const value = this.find(wanted);
    if (value === undefined) throw new Error(`nothing made '${wanted.name}'`);
    return value;
  }

  /** Everything that is wanted; undefined where something is missing that is not optional. */
  pick<Values extends object>(wanted: ArtifactsOf<Values>): Values | undefined {
    const entries = Object.entries<Artifact<unknown>>(wanted);
    if (entries.some(([, one]) => !one.optional && !this.#made.has(one.name))) return undefined;
    return Object.fromEntries(entries.map(([name, one]) => [name, this.find(one)])) as Values;
  }
}
