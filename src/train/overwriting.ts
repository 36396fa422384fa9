import type { Graph, Node, Value } from '../onnx/graph.ts';
import { elementCount } from '../onnx/tensor.ts';
import { usedValues } from '../onnx/used-values.ts';
import type { Student } from '../students/student.ts';
import { trainedTensors } from './step-graph.ts';

/**
 * From so many numbers on, a step writes over what it reads, where nothing else reads it later: parameters and the
 * optimizer's state are then in memory once, not twice. Below, a failing step leaves what was before it, at no cost that counts.
 */
const LARGE = 16e6;

/** Whether the parameters of a student are so large that its steps write over them. */
export function isLarge(student: Student): boolean {
  let count = 0;
  for (const { dims } of trainedTensors(student).values()) count += elementCount(dims);
  return count >= LARGE;
}

/** What only looks at its input in another way, and may become a part of the node behind it (a product with transposed weights). */
const VIEWS = new Set([
  'Identity',
  'Transpose',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Cast',
  'Slice',
  'Mul',
  'Div',
]);

/** What writes each element after it has read that element of its inputs, and no other. */
const ELEMENTWISE = new Set(['Add', 'Sub', 'Mul', 'Div']);

/**
 * The names, of some, whose inputs may be written over by `NAME + suffix` in every one of the graphs: whatever the order in
 * which a runtime takes the nodes, all that read the input are done before its successor is computed, because the successor
 * depends on them; or it is that node itself, element by element.
 */
export function overwritable(
  graphs: Iterable<Graph>,
  names: readonly string[],
  suffix: string,
): ReadonlySet<string> {
  let safe = names;
  for (const graph of graphs) safe = overwritableIn(graph, safe, suffix);
  return new Set(safe);
}

function overwritableIn(graph: Graph, names: readonly string[], suffix: string): string[] {
  const { producers, readers } = edgesOf(graph);
  const inputs = new Map(graph.inputs.map((value) => [value.name, value]));
  const outputs = new Map(graph.outputs.map((value) => [value.name, value]));
  return names.filter((name) => {
    const [input, output] = [inputs.get(name), outputs.get(name + suffix)];
    const last = output && producers.get(output);
    return input && last && isReadBefore(input, last);
  });

  function isReadBefore(input: Value, last: Node): boolean {
    const direct = readers.get(input) ?? [];
    if (direct.includes(last) && !readsByElement(last, input)) return false;
    const others = [...lookingAt(input)].filter((node) => node !== last);
    if (others.length === 0) return true;
    const before = ancestorsOf(last);
    return others.every((node) => before.has(node));
  }

  /** The nodes that read a value, itself or through views of it. */
  function lookingAt(value: Value, found = new Set<Node>()): Set<Node> {
    for (const node of readers.get(value) ?? []) {
      if (found.has(node)) continue;
      found.add(node);
      if (!VIEWS.has(node.opType)) continue;
      for (const output of node.outputs) if (output) lookingAt(output, found);
    }
    return found;
  }

  function ancestorsOf(node: Node): Set<Node> {
    const found = new Set<Node>();
    const open = [node];
    for (let next = open.pop(); next; next = open.pop())
      for (const value of usedValues(next)) {
        const source = producers.get(value);
        if (!source || found.has(source)) continue;
        found.add(source);
        open.push(source);
      }
    return found;
  }
}

function readsByElement({ opType, domain, inputs, outputs }: Node, read: Value): boolean {
  const sizes = (value: Value | null | undefined) => value?.shape?.join();
  return (
    domain === '' && ELEMENTWISE.has(opType) && inputs.includes(read) && sizes(read) === sizes(outputs[0])
  );
}

function edgesOf({ nodes }: Graph) {
  const producers = new Map<Value, Node>();
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const value of node.outputs) if (value) producers.set(value, node);
    for (const value of usedValues(node)) {
      const own = readers.get(value);
      if (own) own.push(node);
      else readers.set(value, [node]);
    }
  }
  return { producers, readers };
}
