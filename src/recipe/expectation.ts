import type { z } from 'zod';

/** One node of the recipe's JSON schema: the part of it that errors and help read. */
export type SchemaNode = z.core.JSONSchema.JSONSchema;

type Step = PropertyKey;

/**
 * The schema node for a path in a recipe. Among alternatives it takes the one that fits what is written there: by
 * `kind` where sections have one, else by type. Undefined when the path leads nowhere.
 */
export function schemaAt(root: SchemaNode, path: readonly Step[], value: unknown): SchemaNode | undefined {
  let node: SchemaNode | undefined = fitting(root, value);
  let current = value;
  for (const step of path) {
    current = childOf(current, step);
    const next: unknown = typeof step === 'number' ? node?.items : node?.properties?.[String(step)];
    if (typeof next !== 'object' || next === null) return undefined;
    node = fitting(next as SchemaNode, current);
  }
  return node;
}

/** The value under a key or at an index; undefined where there is none. Reads own properties alone. */
export function childOf(value: unknown, step: Step): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<Step, unknown>)[step];
}

function alternativesOf(node: SchemaNode): SchemaNode[] {
  return (node.oneOf ?? node.anyOf ?? []) as SchemaNode[];
}

/** Among alternatives the one that a value is meant for; the node itself when there are none, or none fits. */
export function fitting(node: SchemaNode, value: unknown): SchemaNode {
  const alternatives = alternativesOf(node);
  if (alternatives.length === 0) return node;
  if (Array.isArray(value)) {
    const lists = alternatives.filter((alternative) => alternative.type === 'array');
    return lists.length === 1 ? (lists[0] as SchemaNode) : node;
  }
  if (typeof value !== 'object' || value === null) return node;
  const kind = childOf(value, 'kind');
  const sections = alternatives.filter((alternative) => alternative.type === 'object');
  const sameKind = sections.find((section) => constOf(section.properties?.kind) === kind);
  return sameKind ?? (sections.length === 1 ? (sections[0] as SchemaNode) : node);
}

function constOf(node: unknown): unknown {
  return typeof node === 'object' && node !== null ? (node as SchemaNode).const : undefined;
}

/** The keys that a section may have. */
export function keysOf(node: SchemaNode | undefined): string[] {
  return Object.keys(node?.properties ?? {});
}

/** The fixed values that a node allows: an enum's, a constant, or the kinds of a section. */
export function choicesOf(node: SchemaNode | undefined): string[] {
  if (!node) return [];
  if (node.enum) return node.enum.map(String);
  if (node.const !== undefined) return [String(node.const)];
  return alternativesOf(node).flatMap((alternative) =>
    alternative.type === 'object'
      ? choicesOf(alternative.properties?.kind as SchemaNode)
      : choicesOf(alternative),
  );
}

/** What a node expects, in words: `a whole number above 0, or 'all'`. */
export function expectation(node: SchemaNode): string {
  const alternatives = alternativesOf(node);
  if (alternatives.length > 0) {
    const kinds = choicesOf(node);
    if (node.oneOf) return `a section with a kind (${kinds.join(', ')})`;
    return alternatives.map(expectation).join(', or ');
  }
  if (node.enum) return `one of ${node.enum.map(quote).join(', ')}`;
  if (node.const !== undefined) return quote(node.const);
  switch (node.type) {
    case 'integer':
      return `a whole number${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'string':
      return node.minLength ? 'a text that is not empty' : 'a text';
    case 'boolean':
      return 'true or false';
    case 'array': {
      const least = node.minItems ? ` of at least ${node.minItems}` : '';
      return `a list${least} (each ${expectation(node.items as SchemaNode)})`;
    }
    case 'object':
      return `a section with keys ${keysOf(node).join(', ')}`;
    default:
      return 'another value';
  }
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaNode): string {
  const upper = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && upper !== undefined) return ` from ${minimum} to ${upper}`;
  const parts = [
    minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && `of at least ${minimum}`,
    exclusiveMinimum !== undefined && `above ${exclusiveMinimum}`,
    upper !== undefined && `of at most ${upper}`,
    exclusiveMaximum !== undefined && `below ${exclusiveMaximum}`,
  ].filter((part) => part !== false);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

/** A value as an error quotes it: short, on one line. */
export function quote(value: unknown): string {
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section';
  return String(value);
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
