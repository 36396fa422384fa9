import { z } from 'zod';

/** What the recipe needs to know of a registered component: its name and the options it takes. */
export interface RegisteredKind {
  readonly kind: string;
  readonly options: z.ZodObject;
}

/** The options of one of the registered kinds, with `kind` beside them, as the recipe writes them. */
export type KindOutput<E extends RegisteredKind> = E extends RegisteredKind
  ? { kind: E['kind'] } & Options<z.output<E['options']>>
  : never;
export type KindInput<E extends RegisteredKind> = E extends RegisteredKind
  ? { kind: E['kind'] } & Options<z.input<E['options']>>
  : never;
/** Zod says of an object without keys that none of its keys may have a value, `kind` among them. */
type Options<T> = T extends Record<string, never> ? unknown : T;

/**
 * The schema of a recipe section that names one entry of a registry: `{ kind: text-conv, ...its options }`.
 * Keys that the entry does not declare are refused. To add a kind, add an entry to its registry; nothing here changes.
 */
export function registryUnion<const E extends readonly [RegisteredKind, ...RegisteredKind[]]>(
  entries: E,
): z.ZodType<KindOutput<E[number]>, KindInput<E[number]>> {
  const variants = entries.map(({ kind, options }) => {
    const literal = z.literal(kind);
    // The kind comes first, so that JSON schema, help and written recipes show it first.
    const { kind: _declared, ...shape } = options.shape;
    const variant = z.strictObject({ kind: literal, ...shape });
    return options.description ? variant.describe(options.description) : variant;
  });
  const union = z.discriminatedUnion('kind', variants as unknown as [z.ZodObject<{ kind: z.ZodLiteral }>]);
  // The registry's tuple type carries the types that `map` loses.
  return union as unknown as z.ZodType<KindOutput<E[number]>, KindInput<E[number]>>;
}
