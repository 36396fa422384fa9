import { describeModel } from '../onnx/anatomy/describe-model.ts';
import type { Graph } from '../onnx/graph.ts';

/**
 * What `config.json` says of a network of images that leaves as transformers' ResNet, which is whatever has maps: channels and blocks
 * of its stages, the channels of its first convolution. Nothing but the type where no maps are found.
 */
export function residualSizes(graph: Graph): Record<string, unknown> {
  const type = { model_type: 'resnet' };
  const { family, layers } = describeModel(graph);
  const maps = layers.flatMap(({ features }) => features ?? []);
  const first = graph.nodes.find(({ opType }) => opType === 'Conv')?.inputs[1];
  const stem = first ? graph.initializers.get(first)?.dims[0] : undefined;
  if (family !== 'convolutional' || maps.length === 0 || stem === undefined) return type;
  const ends = maps.flatMap(({ endsStage }, i) => (endsStage || i === maps.length - 1 ? [i] : []));
  return {
    ...type,
    embedding_size: stem,
    hidden_sizes: ends.map((end) => maps[end]?.channels),
    depths: ends.map((end, stage) => end - (ends[stage - 1] ?? -1)),
  };
}
