import type { Graph, Value } from '../graph.ts';
import type { ModelAnatomy, ModelLayer } from './anatomy.ts';
import { attentionSites } from './attention-sites.ts';
import { featureMaps } from './feature-maps.ts';
import { hiddenStates } from './hidden-states.ts';
import { ModelPaths } from './model-paths.ts';
import { tokenEmbeddings } from './token-embeddings.ts';

/**
 * What a model is made of: its layers, attention maps, hidden states and feature maps, found by the form of its graph
 * alone. It throws for no graph; what is not found is left out. Attention inside fused operators is found in a graph
 * whose operators were taken apart (`prepareForGradients`), and the names are that graph's.
 *
 * Sizes of images that the model leaves open are taken to be 224x224.
 */
export function describeModel(graph: Graph): ModelAnatomy {
  const paths = new ModelPaths(graph);
  const pixels = graph.inputs.find((input) => paths.isBatchOf(input, 4));
  const embeddings = tokenEmbeddings(paths);
  const sequence = graph.inputs.find((input) => paths.isBatchOf(input, 3));
  const waveform = graph.inputs.find(({ name }) => name === WAVEFORM);
  const heard = waveform && paths.isBatchOf(waveform, 2) ? waveform : undefined;
  const attributed = pixels ?? embeddings ?? sequence ?? heard;
  const logits = logitsOf(paths);
  const transformer = transformerLayers(paths, heard !== undefined);
  const convolutional = transformer.length === 0 && pixels ? featureMaps(paths, pixels) : [];
  const found = transformer.length > 0 ? transformer : convolutional;
  return {
    family: transformer.length > 0 ? 'transformer' : convolutional.length > 0 ? 'convolutional' : 'other',
    layers: found.length > 0 || !attributed ? found : sequenceLayer(paths, attributed, attributed === heard),
    ...(attributed && { features: attributed.name }),
    ...(logits && { logits: logits.name }),
  };
}

function transformerLayers(paths: ModelPaths, isHeard: boolean): ModelLayer[] {
  const sites = attentionSites(paths);
  const states = hiddenStates(paths, sites);
  return sites
    .map(({ map, softmax }, i) => {
      // As many as there are keys.
      const frames = isHeard && softmax.outputs[0] ? paths.shapeOf(softmax.outputs[0])?.at(-1) : undefined;
      const places = frames === undefined ? {} : { frames };
      return {
        ...(states[i] && { hidden: { ...hiddenOf(paths, states[i]), ...places } }),
        ...(map && { attention: { ...map, ...places } }),
      };
    })
    .filter(({ hidden, attention }) => hidden || attention)
    .map((layer, i) => ({ name: `layer_${i}`, ...layer }));
}

/** All of a model of sequences that does not attend: the last hidden state before the sequence is pooled. */
function sequenceLayer(paths: ModelPaths, from: Value, isHeard = false): ModelLayer[] {
  const last = paths
    .waistsAfter(from)
    .findLast((value) => paths.isBatchOf(value, 3) && !isCut(paths, from, value));
  if (!last || (isHeard && !endsInWidth(paths, last))) return [];
  const frames = isHeard ? { frames: paths.shapeOf(last)![1]! } : {};
  return [{ name: 'layer_0', hidden: { ...hiddenOf(paths, last), ...frames } }];
}

/** What transformers call the samples of a sound, float32 [batch, samples]. */
const WAVEFORM = 'input_values';

/**
 * Whether the last axis of a value [batch, a, b] is that of its channels, not of its frames: convolutions over time end in
 * frames, matrix products with a constant on the right in channels. False where the graph does not tell.
 */
function endsInWidth(paths: ModelPaths, value: Value): boolean {
  let [at, turned] = [value, false];
  for (;;) {
    const node = paths.producerOf(at);
    if (!node) return false;
    const data = node.inputs.filter((input): input is Value => paths.changes(input));
    if (node.opType === 'Conv') return turned;
    if (node.opType === 'LayerNormalization') return !turned;
    if (node.opType === 'MatMul' && data.length === 1) return (data[0] === node.inputs[0]) !== turned;
    const next = data.find((input) => paths.isBatchOf(input, 3));
    if (!next) return false;
    if (node.opType === 'Transpose') turned = !turned;
    at = next;
  }
}

/** Whether a value has one place of a sequence that is longer: the first token, say, with its axis kept. */
function isCut(paths: ModelPaths, sequence: Value, value: Value): boolean {
  const length = paths.shapeOf(sequence)?.[1];
  return length !== undefined && length > 1 && paths.shapeOf(value)![1] === 1;
}

function hiddenOf(paths: ModelPaths, value: Value): { name: string; width: number } {
  return { name: value.name, width: paths.shapeOf(value)![2]! };
}

/** The output `logits`, or the only output [batch, classes] of a model that does not call it an embedding. */
function logitsOf(paths: ModelPaths): Value | undefined {
  const flat = paths.graph.outputs.filter((output) => paths.isBatchOf(output, 2));
  const named = flat.find(({ name }) => name === 'logits');
  const only = paths.graph.outputs.length === 1 ? flat[0] : undefined;
  return named ?? (only && !/embed|pool|hidden/i.test(only.name) ? only : undefined);
}
