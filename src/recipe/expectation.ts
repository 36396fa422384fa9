import type { z } from 'zod';
import { byLikeness } from '../nearest.ts';

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
    const next: unknown = typeof step === 'number' ? itemOf(node, step) : underKey(node, String(step));
    if (typeof next !== 'object' || next === null) return undefined;
    node = fitting(next as SchemaNode, current);
  }
  return node;
}

/**
 * Keys that are written in one section and belong to several of its forms, none of which has them all (`keep: { likeliest: 8, sampled:
 * 8 }`), by the form that has them. Undefined where one form has all that are known, and where a kind tells forms apart.
 */
export function exclusiveKeys(
  root: SchemaNode,
  path: readonly Step[],
  value: unknown,
): string[][] | undefined {
  const parent = schemaAt(root, path.slice(0, -1), value);
  const step = path.at(-1);
  const node = typeof step === 'number' ? itemOf(parent, step) : underKey(parent, String(step));
  const found = path.reduce<unknown>(childOf, value);
  const sections = isNode(node) ? sectionsOf(node) : [];
  if (sections.length < 2 || discriminatorOf(sections) || !isNode(found) || Array.isArray(found))
    return undefined;
  const written = sections.map((section) => keysOf(section).filter((key) => Object.hasOwn(found, key)));
  const all = new Set(written.flat());
  if (written.some(({ length }) => length === all.size)) return undefined;
  return written.filter(({ length }) => length > 0);
}

/** What a list has at a place: a node for every item, or one for each of them. */
function itemOf(node: SchemaNode | undefined, index: number): unknown {
  return node?.prefixItems?.[index] ?? node?.items;
}

/** What a section has under a key: one of its own, or what all keys of a section of names have. */
function underKey(node: SchemaNode | undefined, key: string): unknown {
  const { properties = {} } = node ?? {};
  return Object.hasOwn(properties, key) ? properties[key] : node?.additionalProperties;
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
  const sections = alternatives.filter((alternative) => alternative.type === 'object');
  const key = discriminatorOf(sections);
  const kindOf = (section: SchemaNode) => constOf(key && section.properties?.[key]);
  const written = key && childOf(value, key);
  const sameKind =
    key &&
    sections.find((section) =>
      // A kind may be left out where it is the usual one.
      written === undefined ? hasDefault(section.properties?.[key]) : kindOf(section) === written,
    );
  return (
    sameKind || (sections.length === 1 ? (sections[0] as SchemaNode) : (meantBy(sections, value) ?? node))
  );
}

/** Of sections that no kind tells apart the one that has most of the keys that are written; undefined where several have as many. */
function meantBy(sections: readonly SchemaNode[], value: object): SchemaNode | undefined {
  const known = sections.map(
    ({ properties = {} }) => Object.keys(value).filter((key) => Object.hasOwn(properties, key)).length,
  );
  const most = Math.max(0, ...known);
  const meant = sections.filter((_, i) => known[i] === most);
  return most > 0 && meant.length === 1 ? meant[0] : undefined;
}

/** The key by which sections are told apart: `kind`, an output's `target`, an input's `modality`. */
export function discriminatorOf(sections: readonly SchemaNode[]): string | undefined {
  return ['kind', 'target', 'modality'].find((key) =>
    sections.some((section) => constOf(section.properties?.[key]) !== undefined),
  );
}

/** The alternatives of a node, or none. */
export function sectionsOf(node: SchemaNode | undefined): SchemaNode[] {
  return node ? alternativesOf(node).filter(({ type }) => type === 'object') : [];
}

function constOf(node: unknown): unknown {
  return typeof node === 'object' && node !== null ? (node as SchemaNode).const : undefined;
}

function hasDefault(node: unknown): boolean {
  return typeof node === 'object' && node !== null && (node as SchemaNode).default !== undefined;
}

/** The keys that a section may have. */
export function keysOf(node: SchemaNode | undefined): string[] {
  const named = (node?.propertyNames as SchemaNode | undefined)?.enum ?? [];
  return [...Object.keys(node?.properties ?? {}), ...named.map(String)];
}

/** The fixed values that a node allows: an enum's, a constant, or the kinds of a section. */
export function choicesOf(node: SchemaNode | undefined): string[] {
  if (!node) return [];
  if (node.enum) return node.enum.map(String);
  if (node.const !== undefined) return [String(node.const)];
  const key = discriminatorOf(sectionsOf(node)) ?? 'kind';
  return alternativesOf(node).flatMap((alternative) =>
    alternative.type === 'object'
      ? choicesOf(alternative.properties?.[key] as SchemaNode)
      : choicesOf(alternative),
  );
}

/** Names that a message lists in full; of more it shows a few. */
const MOST_NAMED = 20;
const FEW = 8;

/** Names for a message. Of many those that look most like what was typed, where something was, else the first. */
export function listed(names: readonly string[], typed?: unknown): string {
  if (names.length <= MOST_NAMED) return names.join(', ');
  const known = typeof typed === 'string' && typed !== '';
  const few = (known ? byLikeness(typed, names) : names).slice(0, FEW);
  return `${few.join(', ')} and ${names.length - few.length} more`;
}

/**
 * What a node expects, in words: `a whole number above 0, or 'all'`.
 *
 * @param found what is there instead: long lists show what looks like it
 */
export function expectation(node: SchemaNode, found?: unknown): string {
  const alternatives = alternativesOf(node);
  if (alternatives.length > 0) {
    const key = discriminatorOf(sectionsOf(node));
    if (node.oneOf && key) return `a section with a ${key} (${listed(choicesOf(node), found)})`;
    return alternatives.map((alternative) => expectation(alternative, found)).join(', or ');
  }
  if (node.enum) return `one of ${listed(node.enum.map(quote), found)}`;
  if (node.const !== undefined) return quote(node.const);
  switch (node.type) {
    case 'integer':
      return `a whole number${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'string': {
      const most = node.maxLength === undefined ? '' : ` of at most ${node.maxLength} characters`;
      return node.minLength ? `a text${most} that is not empty` : `a text${most}`;
    }
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return listExpectation(node);
    case 'object': {
      const { additionalProperties: each } = node;
      if (isNode(each) && keysOf(node).length === 0)
        return `a section of names${isStated(each) ? `, each with ${expectation(each)}` : ''}`;
      return `a section with keys ${listed(keysOf(node))}`;
    }
    default:
      return 'another value';
  }
}

function listExpectation(node: SchemaNode): string {
  const { prefixItems, items, minItems, maxItems } = node;
  if (prefixItems)
    return `a list of ${prefixItems.length} (${prefixItems.map((item) => expectation(item as SchemaNode)).join('; ')})`;
  const bound = [minItems && `at least ${minItems}`, maxItems && `at most ${maxItems}`].filter(Boolean);
  const size = bound.length > 0 ? ` of ${bound.join(' and ')}` : '';
  return `a list${size} (each ${expectation(items as SchemaNode)})`;
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null;
}

/** Whether a node says what it takes; one of any JSON does not. */
function isStated(node: SchemaNode): boolean {
  return node.type !== undefined || node.enum !== undefined || node.oneOf !== undefined;
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
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a section';
  return String(value);
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
