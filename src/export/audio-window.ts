import { INPUT_VALUES } from '../data/columns.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * A model of waveforms of one length, `input_values` float32 [batch, samples], as one of waveforms of any: it hears their
 * middle, or silence around what is shorter, as the training samples were cut. Readers of a model (transformers.js) give it a
 * recording as it is.
 */
export function withAnyLength(graph: Graph, samples: number): Graph {
  return hearing(graph, (g, waveform) => g.scope('window', () => middleWindow(g, waveform, samples)));
}

/** A model of waveforms of one length as one that hears waveforms of any as they are: one that answers for each frame. */
export function withOpenLength(graph: Graph): Graph {
  return hearing(graph, (_, waveform) => waveform);
}

function hearing(graph: Graph, heard: (g: GraphBuilder, waveform: TypedValue) => TypedValue): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const waveform = g.input(INPUT_VALUES, 'float32', ['batch', 'samples']);
  const values = g.inline(graph, new Map([[INPUT_VALUES, heard(g, waveform)]]));
  for (const { name } of graph.outputs) g.output(values.get(name) as TypedValue, name);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}

/** As `middleWindow` of the audio modality: [B, any] -> [B, samples]. */
function middleWindow(g: GraphBuilder, waveform: TypedValue, samples: number): TypedValue {
  const half = (length: TypedValue) => g.div(g.max(length, 0), 2);
  const length = g.slice(g.shapeOf(waveform), 0, 1, 2);
  const start = half(g.sub(length, samples));
  const cut = g.op('Slice', [waveform, start, g.add(start, samples), g.ints([1])]);
  const missing = g.max(g.sub(g.ints([samples]), length), 0);
  const before = half(missing);
  const none = g.ints([0]);
  const padded = g.op('Pad', [cut, g.concat([none, before, none, g.sub(missing, before)], 0)]);
  return g.reshape(padded, [0, samples]);
}
