import { type AttributeInits, toAttributes } from '../attributes.ts';
import { BLOCKED } from '../blocked/kernels.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { NodeEmitter, namesIn } from '../node-emitter.ts';
import { elementCount } from '../tensor.ts';

/** Elements from which two passes on all threads are faster than one on one: [8, 64, 14, 14] takes as long both ways. */
const LEAST_ELEMENTS = 2 ** 18;

/**
 * Transposes of images to channels last as ONNX Runtime's reorders from blocks of channels, which run on all threads where
 * a Transpose runs on one: [128, 64, 14, 14] with two threads 1.4 ms, 0.3 from blocks, 0.6 by way of them
 * (docs/performance.md).
 */
export function channelsLast(graph: Graph, block: number): Graph {
  if (block === 0 || !graph.nodes.some(movesChannelsLast)) return graph;
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const emit = new NodeEmitter(namesIn(graph));
  const reorder = (opType: string, from: Value, to: Value, attributes: AttributeInits) =>
    emit.push({
      name: to.name,
      opType,
      domain: BLOCKED,
      inputs: [from],
      outputs: [to],
      attributes: toAttributes(attributes),
    });
  for (const node of graph.nodes) {
    const image = movesChannelsLast(node) ? node.inputs[0] : undefined;
    const shape = image?.shape;
    if (!image || !shape?.every((dim): dim is number => typeof dim === 'number')) {
      emit.push(node);
      continue;
    }
    const maker = makers.get(image);
    const channels = shape[1] as number;
    let blocked = maker?.opType === 'ReorderOutput' && maker.domain === BLOCKED ? maker.inputs[0] : undefined;
    if (!blocked && channels % block === 0 && elementCount(shape) >= LEAST_ELEMENTS) {
      blocked = { ...emit.value('blocks'), type: image.type, shape };
      reorder('ReorderInput', image, blocked, {});
    }
    if (blocked) reorder('ReorderOutput', blocked, node.outputs[0] as Value, { channels, channels_last: 1 });
    else emit.push(node);
  }
  return { ...graph, opsets: new Map([[BLOCKED, 1], ...graph.opsets]), nodes: emit.nodes };
}

function movesChannelsLast({ opType, domain, inputs, attributes }: Node): boolean {
  const perm = attributes.get('perm');
  const moves = perm?.kind === 'ints' && perm.value.map(Number).join() === '0,2,3,1';
  return opType === 'Transpose' && domain === '' && inputs[0]?.type === 'float32' && moves;
}
