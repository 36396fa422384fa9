import { isFloat } from '../data-type.ts';
import { tensorBytes } from '../encode-tensor.ts';
import type { Attribute, Graph, Node, Value } from '../graph.ts';
import { replaceReads } from '../replace-values.ts';
import { tensorByteLength } from '../stored-tensor.ts';
import type { Tensor } from '../tensor.ts';
import { subgraphsOf } from '../used-values.ts';

/** Operators that give another result each time. */
const RANDOM = new Set([
  'Bernoulli',
  'Dropout',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);
/** Domains whose operators are known to be functions of their inputs. */
const PURE_DOMAINS = new Set(['', 'com.microsoft', 'ai.onnx.ml']);
/** Larger tensors are not compared. */
const MAX_TENSOR_BYTES = 1024;

/**
 * Computes equal things once: of nodes with the same operator, attributes and inputs the first stays (common
 * subexpression elimination). Small integer constants (shapes, axes) are merged too; float initializers are not,
 * since two parameters that start equal are two parameters. Nodes in front of graph outputs stay.
 */
export function mergeDuplicates(graph: Graph): Graph {
  const outputs = new Set(graph.outputs);
  const replacements = new Map<Value, Value>();
  const numbers = new Map<Value, number>();
  const numberOf = (value: Value) => {
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    return known;
  };

  const initializers = new Map(graph.initializers);
  const constants = new Map<string, Value>();
  for (const [value, tensor] of graph.initializers) {
    if (isFloat(tensor.type) || outputs.has(value)) continue;
    const key = tensorKey(tensor);
    if (key === undefined) continue;
    const first = constants.get(key);
    if (first) {
      replacements.set(value, first);
      initializers.delete(value);
    } else {
      constants.set(key, value);
    }
  }

  const firsts = new Map<string, Node>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = replaceReads(original, replacements);
    const key = nodeKey(node, numberOf);
    const first = key === undefined ? undefined : firsts.get(key);
    if (first && !node.outputs.some((value) => value && outputs.has(value))) {
      for (const [i, value] of node.outputs.entries()) if (value) replacements.set(value, first.outputs[i]!);
      continue;
    }
    if (key !== undefined && !first) firsts.set(key, node);
    nodes.push(node);
  }
  if (replacements.size === 0) return graph;
  return { ...graph, nodes, initializers };
}

/** Nodes with equal keys compute equal things; undefined for a node that is never merged. */
function nodeKey(node: Node, numberOf: (value: Value) => number): string | undefined {
  if (!PURE_DOMAINS.has(node.domain) || RANDOM.has(node.opType) || subgraphsOf(node).length > 0)
    return undefined;
  const attributes: unknown[] = [];
  for (const name of [...node.attributes.keys()].sort()) {
    const key = attributeKey(node.attributes.get(name)!);
    if (key === undefined) return undefined;
    attributes.push(name, key);
  }
  const inputs = node.inputs.map((value) => value && numberOf(value));
  const used = node.outputs.map((value) => value !== null);
  return JSON.stringify([node.domain, node.opType, inputs, used, attributes]);
}

function attributeKey(attribute: Attribute): string | undefined {
  if (attribute.kind === 'tensor') return tensorKey(attribute.value);
  const { kind, value } = attribute;
  // JSON has no -0, NaN or infinities.
  return JSON.stringify([kind, value], (_, part) =>
    typeof part === 'number' && (!Number.isFinite(part) || Object.is(part, -0))
      ? `number ${1 / part} ${part}`
      : part,
  );
}

function tensorKey(tensor: Tensor): string | undefined {
  const { type, dims } = tensor;
  if (type === 'string' || tensorByteLength(tensor) > MAX_TENSOR_BYTES) return undefined;
  return `${type}[${dims}]${tensorBytes(tensor).join()}`;
}
