import type { Graph } from '../onnx/graph.ts';

/** What a layer takes of a call. */
export interface LayerTime {
  /** The node's name in the graph; where ONNX Runtime made up an operator, the name of what it computes. */
  readonly layer: string;
  /** The part of the time of all operators, 0 to 1. */
  readonly share: number;
}

/** Names end so where they are of the time that an operator took on the processor. */
const TIME = '_kernel_time';

/** An event of a profile, as far as it is read; `dur` in microseconds. */
interface ProfileEvent {
  readonly cat?: unknown;
  readonly name?: unknown;
  readonly dur?: unknown;
  readonly args?: { readonly provider?: unknown };
}

/**
 * How the time of a call is divided among the nodes of a graph, most first: of each operator the median of what ONNX Runtime noted,
 * as often as it did. On a graphics card the time of its kernels counts, and that of operators that the processor has to
 * compute between them; not how long it takes to hand them over. Operators that it fused or made up are counted for the node or value that they are named by.
 *
 * @param profile lines of a profile (`Ran.profile`); those that are no event are left out
 */
export function layerTimes(graph: Graph, profile: readonly string[]): LayerTime[] {
  const calls = new Map<string, number[]>();
  for (const line of profile) {
    const event = eventIn(line);
    const name = event && operatorOf(event);
    if (name === undefined || typeof event?.dur !== 'number') continue;
    const times = calls.get(name);
    if (times) times.push(event.dur);
    else calls.set(name, [event.dur]);
  }
  const nameIn = namesOf(graph);
  const layers = new Map<string, number>();
  let total = 0;
  for (const [name, times] of calls) {
    const own = times.length * (times.sort((a, b) => a - b)[times.length >> 1] as number);
    const layer = nameIn(name.split('&', 1)[0] as string);
    layers.set(layer, (layers.get(layer) ?? 0) + own);
    total += own;
  }
  return [...layers]
    .map(([layer, time]) => ({ layer, share: time / Math.max(total, Number.EPSILON) }))
    .sort((a, b) => b.share - a.share);
}

/** The node whose name, or that of what it computes, is the longest that an operator's name begins with: `stem/Conv_0_nchwc` is of `stem/Conv_0`. */
function namesOf(graph: Graph): (operator: string) => string {
  const nodes = new Map<string, string>();
  for (const { name, outputs } of graph.nodes)
    for (const value of outputs) if (value) nodes.set(value.name, name);
  for (const { name } of graph.nodes) nodes.set(name, name);
  return (operator) => {
    for (let end = operator.length; end > 0; end = operator.lastIndexOf('_', end - 1)) {
      const node = nodes.get(operator.slice(0, end));
      if (node) return node;
    }
    return operator.replace(/_token_\d+$/, '');
  };
}

/** The operator whose time an event tells (`NAME`, or `NAME&OPERATOR&KERNEL` on a graphics card); undefined of other events. */
function operatorOf({ cat, name, args }: ProfileEvent): string | undefined {
  if (typeof name !== 'string') return undefined;
  if (cat === 'Api') return name;
  const isOwn = cat === 'Node' && name.endsWith(TIME) && args?.provider === 'CPUExecutionProvider';
  return isOwn ? name.slice(0, -TIME.length) : undefined;
}

function eventIn(line: string): ProfileEvent | undefined {
  const text = line.trim().replace(/,$/, '');
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
