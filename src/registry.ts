import { LimbeckError } from './errors.ts';

/** An entry of a registry: a component that recipes name by its kind. */
export interface Registered {
  readonly kind: string;
}

const titles = new WeakMap<object, string>();
let revision = 0;

/**
 * A list of components that recipes can name, to which plugins add. Its type is that of the entries that come along:
 * code that asks for a kind by name has their options typed, and handles all others by what they have in common.
 *
 * @param title what an entry is, for errors: `student`
 */
export function registry<const E extends readonly Registered[]>(title: string, entries: E): E {
  const list = [...entries] as readonly Registered[] as E;
  titles.set(list, title);
  return list;
}

/**
 * Adds an entry to a registry. Recipes that are read from then on can name it.
 *
 * @throws LimbeckError `plugin.duplicate` where the kind is taken by another entry, `plugin.kind` for a name that a recipe
 *   cannot hold
 */
export function register(list: readonly Registered[], entry: Registered): void {
  const title = titles.get(list);
  if (title === undefined) throw new Error('not a registry');
  const { kind } = entry;
  if (typeof kind !== 'string' || !/^[A-Za-z][A-Za-z0-9-]*$/.test(kind)) {
    throw new LimbeckError('plugin.kind', `a ${title} needs a kind of letters, digits and dashes`, {
      where: `kind: ${JSON.stringify(kind)}`,
      remedy: 'Give it a name like my-student.',
    });
  }
  if (list.includes(entry)) return;
  requireFree(list, entry);
  (list as Registered[]).push(entry);
  revision++;
}

/** Throws LimbeckError `plugin.duplicate` where a registry has another entry of the same kind. */
export function requireFree(list: readonly Registered[], entry: Registered): void {
  const title = titles.get(list) as string;
  if (!list.some((one) => one.kind === entry.kind && one !== entry)) return;
  throw new LimbeckError('plugin.duplicate', `there is a ${title} '${entry.kind}' already`, {
    where: `kinds of ${title}: ${list.map((one) => one.kind).join(', ')}`,
    remedy: 'Give it another name.',
  });
}

/** What is built from registries, anew after something was registered. */
export function fromRegistries<T>(build: () => T): () => T {
  let built: { readonly value: T; readonly at: number } | undefined;
  return () => {
    if (built?.at !== revision) built = { value: build(), at: revision };
    return built.value;
  };
}
