import type { Attribute, Graph } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** How attributes may be given to a builder: whole numbers, strings, lists of whole numbers, or explicit ones. */
export type AttributeInit = number | string | readonly number[] | Tensor | Attribute;
export type AttributeInits = Readonly<Record<string, AttributeInit | undefined>>;

/** A float attribute. Needed because ONNX tells 1 (an int) from 1.0 (a float), and JavaScript does not. */
export function float(value: number): Attribute {
  return { kind: 'float', value };
}

/** A subgraph attribute (the branches of If, the body of Loop). */
export function subgraph(value: Graph): Attribute {
  return { kind: 'graph', value };
}

/** Attributes as a node holds them; undefined ones are left out. Throws on a fraction that is not wrapped in `float`. */
export function toAttributes(inits: AttributeInits): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const [name, init] of Object.entries(inits)) {
    if (init !== undefined) attributes.set(name, toAttribute(name, init));
  }
  return attributes;
}

function toAttribute(name: string, init: AttributeInit): Attribute {
  if (typeof init === 'number') {
    if (!Number.isInteger(init)) throw new Error(`attribute ${name}: wrap ${init} in float()`);
    return { kind: 'int', value: init };
  }
  if (typeof init === 'string') return { kind: 'string', value: init };
  if (Array.isArray(init)) return { kind: 'ints', value: init };
  if ('kind' in init) return init as Attribute;
  return { kind: 'tensor', value: init as Tensor };
}
