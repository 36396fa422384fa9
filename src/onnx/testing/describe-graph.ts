import type { Attribute, Graph, Value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';

/** A graph as plain data, for comparing graphs that share no objects. */
export function describeGraph(graph: Graph): unknown {
  return {
    name: graph.name,
    inputs: graph.inputs.map(describeValue),
    outputs: graph.outputs.map(describeValue),
    initializers: [...graph.initializers].map(([value, tensor]) => [
      describeValue(value),
      describeTensor(tensor),
    ]),
    nodes: graph.nodes.map((node) => ({
      name: node.name,
      opType: node.opType,
      domain: node.domain,
      inputs: node.inputs.map((value) => value?.name ?? null),
      outputs: node.outputs.map((value) => value && describeValue(value)),
      attributes: [...node.attributes].map(([name, attribute]) => [name, describeAttribute(attribute)]),
    })),
    opsets: [...graph.opsets],
    metadata: [...graph.metadata],
  };
}

function describeValue({ name, type, shape }: Value): unknown {
  return { name, type, shape: shape && [...shape] };
}

function describeTensor({ type, dims, data }: Tensor): unknown {
  return { type, dims: [...dims], data };
}

function describeAttribute(attribute: Attribute): unknown {
  if (attribute.kind === 'tensor') return describeTensor(attribute.value);
  if (attribute.kind === 'graph') return describeGraph(attribute.value);
  if (attribute.kind === 'graphs') return attribute.value.map(describeGraph);
  return attribute;
}
