import { DATA_TYPE_CODES, type DataType } from '../data-type.ts';
import type { Attribute, Graph, Node, Value } from '../graph.ts';
import { fromBfloat16, fromFloat16 } from '../half-float.ts';
import { replaceReads } from '../replace-values.ts';
import { elementsOnce, isStored, storedTensor } from '../stored-tensor.ts';
import type { Tensor } from '../tensor.ts';
import { mapSubgraphs } from './map-subgraphs.ts';

/** Attributes that name a type by its number. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set(['to', 'dtype', 'output_dtype', 'stash_type']);
const HALF: ReadonlyMap<DataType, (word: number) => number> = new Map([
  ['float16', fromFloat16],
  ['bfloat16', fromBfloat16],
]);
const HALF_CODES: ReadonlySet<number> = new Set([...HALF.keys()].map((type) => DATA_TYPE_CODES[type]));

/** The types of half precision that a graph computes in. */
export function halfTypes(graph: Graph): DataType[] {
  const found = new Set<DataType>();
  const look = (part: Graph) => {
    for (const { type } of part.initializers.values()) if (HALF.has(type)) found.add(type);
    for (const { type } of [...part.inputs, ...part.outputs]) if (type && HALF.has(type)) found.add(type);
    for (const node of part.nodes) {
      for (const [name, attribute] of node.attributes) {
        if (attribute.kind === 'tensor' && HALF.has(attribute.value.type)) found.add(attribute.value.type);
        if (attribute.kind === 'int' && TYPE_ATTRIBUTES.has(name))
          for (const type of HALF.keys()) if (DATA_TYPE_CODES[type] === attribute.value) found.add(type);
        if (attribute.kind === 'graph') look(attribute.value);
        if (attribute.kind === 'graphs') attribute.value.forEach(look);
      }
    }
  };
  look(graph);
  return [...found];
}

/**
 * The same model in float32 where it computes in float16 or bfloat16: inputs, outputs, weights, constants and casts.
 * Every number of half precision is a number of float32, so the weights stay what they are. All names stay.
 */
export function toFloat32(graph: Graph): Graph {
  const renewed = new Map<Value, Value>();
  return halfTypes(graph).length === 0 ? graph : convert(graph, renewed);
}

function convert(graph: Graph, renewed: Map<Value, Value>): Graph {
  const inputs = graph.inputs.map((value) => widened(value, renewed));
  const initializers = new Map(
    [...graph.initializers].map(([value, content]) => [widened(value, renewed), widenedTensor(content)]),
  );
  const nodes = graph.nodes.map((node) => {
    // What a node and its subgraphs read was defined before it.
    const inner = mapSubgraphs(replaceReads(node, renewed), (part) => convert(part, renewed));
    const outputs = inner.outputs.map((value) => value && widened(value, renewed));
    return { ...inner, outputs, attributes: widenedAttributes(inner) };
  });
  const outputs = graph.outputs.map((value) => renewed.get(value) ?? value);
  return { ...graph, inputs, initializers, nodes, outputs };
}

function widened(value: Value, renewed: Map<Value, Value>): Value {
  if (!value.type || !HALF.has(value.type)) return value;
  const known = renewed.get(value);
  if (known) return known;
  const result: Value = { ...value, type: 'float32' };
  renewed.set(value, result);
  return result;
}

function widenedTensor(content: Tensor): Tensor {
  const from = HALF.get(content.type);
  if (!from) return content;
  const widen = () => Float32Array.from(elementsOnce(content) as Uint16Array, from);
  if (isStored(content)) return storedTensor('float32', content.dims, widen);
  return { type: 'float32', dims: content.dims, data: widen() };
}

function widenedAttributes({ attributes }: Node): ReadonlyMap<string, Attribute> {
  return new Map(
    [...attributes].map(([name, attribute]): [string, Attribute] => {
      if (attribute.kind === 'tensor')
        return [name, { kind: 'tensor', value: widenedTensor(attribute.value) }];
      const isHalf = attribute.kind === 'int' && TYPE_ATTRIBUTES.has(name) && HALF_CODES.has(attribute.value);
      return isHalf ? [name, { kind: 'int', value: DATA_TYPE_CODES.float32 }] : [name, attribute];
    }),
  );
}
