import type { z } from 'zod';
import { childOf, fitting, type SchemaNode } from './expectation.ts';

const SWITCH = { switchable: true } as const;

/**
 * A section that is nothing when it is left out: `false` leaves it out too, so that `--set training.onPolicy=false` switches off what
 * the file has.
 */
export function switchable<Schema extends z.ZodType>(schema: Schema): z.ZodOptional<Schema> {
  return schema.optional().meta(SWITCH);
}

/** The same of a section whose default is that nothing of the kind is done: `false` is its default. */
export function plainWhenOff<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ ...schema.meta(), ...SWITCH });
}

function isSwitch(node: unknown): boolean {
  return isNode(node) && node.switchable === true;
}

/** A recipe as it was written without the sections that are switched off; the same object where there are none. */
export function withoutSwitchedOff(value: unknown, root: SchemaNode): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const node = fitting(root, value);
  if (Array.isArray(value)) {
    const items = value.map((one, i) => {
      const item = node.prefixItems?.[i] ?? node.items;
      return isNode(item) ? withoutSwitchedOff(one, item) : one;
    });
    return items.every((one, i) => one === value[i]) ? value : items;
  }
  const own = Object.keys(value);
  const left = own.flatMap((key): [string, unknown][] => {
    const child = childOf(value, key);
    const { properties = {} } = node;
    const next = Object.hasOwn(properties, key) ? properties[key] : node.additionalProperties;
    if (child === false && isSwitch(next)) return [];
    return [[key, isNode(next) ? withoutSwitchedOff(child, next) : child]];
  });
  const isSame = left.length === own.length && left.every(([key, child]) => child === childOf(value, key));
  return isSame ? value : Object.fromEntries(left);
}

/** The schema as editors read it: with `false` among the values of sections that may be switched off. Changes what it is given. */
export function withSwitches(node: SchemaNode): SchemaNode {
  const section = node;
  for (const [key, child] of Object.entries(section.properties ?? {})) {
    if (!isNode(child)) continue;
    withSwitches(child);
    if (!isSwitch(child)) continue;
    const { description, switchable: _, ...taken } = child;
    const properties = section.properties as Record<string, SchemaNode>;
    properties[key] = { ...(description && { description }), anyOf: [{ const: false }, taken] };
  }
  const { items, additionalProperties, oneOf = [], anyOf = [], prefixItems = [] } = section;
  for (const child of [items, additionalProperties, ...oneOf, ...anyOf, ...prefixItems])
    if (isNode(child)) withSwitches(child);
  return section;
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
