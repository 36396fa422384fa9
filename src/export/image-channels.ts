import type { Graph, TypedValue, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';

/** The input of every image model. */
export const PIXEL_INPUT = 'pixel_values';

/** Red's and blue's part of the luminance (ITU-R BT.601, as PIL's and torchvision's grey); green has the rest. */
const RED = 0.299;
const BLUE = 0.114;

/**
 * A model of grey images, `pixel_values` float32 [batch, 1, height, width], as one of colour images: [batch, 3, height,
 * width]. transformers.js ignores `do_convert_grayscale`: what it gives a model has three channels, or, of a grey file,
 * one, depending on where it runs. So the conversion is inside the graph.
 *
 * It is written as green plus parts of the differences: of a grey image these are zeros, so that it is answered to the last
 * bit as by the model of grey images.
 */
export function withColourInput(graph: Graph): Graph {
  return withPixels(graph, 3, (g, pixels) => {
    const [red, green, blue] = [0, 1, 2].map((channel) => g.slice(pixels, 1, channel, channel + 1));
    const colours = g.add(g.mul(g.sub(red, green), RED), g.mul(g.sub(blue, green), BLUE));
    return g.add(green, colours);
  });
}

/** A model of colour images that is given grey ones, each channel the same: the converse of `withColourInput`. */
export function withGreyInput(graph: Graph): Graph {
  return withPixels(graph, 1, (g, pixels) => g.expand(pixels, [1, 3, 1, 1]));
}

/** Channels that an image model reads; undefined where its input does not tell, or there is none. */
export function imageChannels({ inputs }: Pick<Graph, 'inputs'>): number | undefined {
  const channels = pixelInput(inputs)?.shape?.[1];
  return typeof channels === 'number' ? channels : undefined;
}

function pixelInput(inputs: readonly Value[]): Value | undefined {
  return inputs.find(({ name }) => name === PIXEL_INPUT);
}

function withPixels(
  graph: Graph,
  channels: number,
  read: (g: GraphBuilder, pixels: TypedValue) => TypedValue,
): Graph {
  const input = pixelInput(graph.inputs);
  if (!input?.shape || !input.type) throw new Error(`the model has no input ${PIXEL_INPUT} of known shape`);
  const [batch, , ...size] = input.shape;
  const g = new GraphBuilder(graph.opsets.get(''));
  const pixels = g.input(PIXEL_INPUT, input.type, [batch, channels, ...size]);
  const values = g.inline(graph, new Map([[PIXEL_INPUT, read(g, pixels)]]));
  for (const { name } of graph.outputs) g.output(values.get(name) as TypedValue, name);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}
