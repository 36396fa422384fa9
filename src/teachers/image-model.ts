import { LimbeckError } from '../errors.ts';
import type { Dim, Graph, TypedValue, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import type { PixelForm } from './image-preprocessing.ts';
import { PIXEL_VALUES } from './teacher-source.ts';
import { describeValue } from './text-inputs.ts';

/** Where the channels of an image are: before its places (PyTorch) or behind them (TensorFlow). */
export type ImageLayout = 'channels-first' | 'channels-last';

/**
 * The input of a model that takes images: the one that is named, or the only one.
 *
 * @throws LimbeckError `teacher.inputs` (with the inputs that it has) where none is one, or it cannot be told which
 */
export function imageInput(graph: Graph, where: string, named?: string): Value {
  const has = `${where}: its inputs are ${graph.inputs.map(describeValue).join('; ')}`;
  const refuse = (problem: string, remedy: string) =>
    new LimbeckError('teacher.inputs', problem, { where: has, remedy });
  const fits = ({ type, shape }: Value) => type === 'float32' && shape?.length === 4;
  if (named !== undefined) {
    const input = graph.inputs.find(({ name }) => name === named);
    if (!input) throw refuse(`the model has no input '${named}'`, 'Correct teacher.input.');
    if (!fits(input)) throw refuse(`the input '${named}' takes no images`, `${EXPORTED}.`);
  }
  const possible = graph.inputs.filter(fits);
  const input = named === undefined ? possible[0] : possible.find(({ name }) => name === named);
  if (!input) throw refuse('the model has no input for images', `${EXPORTED}.`);
  if (named === undefined && possible.length > 1)
    throw refuse(
      `which input the image is cannot be told: ${possible.map(({ name }) => `'${name}'`).join(' or ')}`,
      'Name it: teacher.input.',
    );
  const other = graph.inputs.find((value) => value !== input);
  if (other)
    throw refuse(`nothing can be given to the input '${other.name}'`, 'Export it with the image alone.');
  if (typeof input.shape?.[0] === 'number')
    throw refuse(
      `the input '${input.name}' takes ${input.shape[0]} image${input.shape[0] === 1 ? '' : 's'} at a time`,
      'Export it with a dynamic batch size.',
    );
  return input;
}

const EXPORTED = 'Export it with an input float32 [batch, channels, height, width]';
const CHANNELS: readonly Dim[] = [1, 3];

/** The layout, told by which size can be a number of channels; channels come first where both or none can. */
export function imageLayout({ shape = [] }: Value): ImageLayout {
  const [, first, , last] = shape as readonly Dim[];
  const firstFits = CHANNELS.includes(first as Dim) || typeof first === 'string';
  return CHANNELS.includes(last as Dim) && !(firstFits && CHANNELS.includes(first as Dim))
    ? 'channels-last'
    : 'channels-first';
}

/** The same model with its image as `pixel_values`, float32 [batch, channels, height, width]. */
export function withPixelValues(graph: Graph, input: Value, layout: ImageLayout): Graph {
  if (layout === 'channels-first' && input.name === PIXEL_VALUES) return graph;
  const [batch, ...sizes] = input.shape as [Dim, Dim, Dim, Dim];
  const [a, b, c] = sizes;
  const shape: readonly Dim[] = layout === 'channels-first' ? [batch, a, b, c] : [batch, c, a, b];
  return withInput(graph, shape, (g, pixels) =>
    layout === 'channels-first' ? pixels : g.transpose(pixels, [0, 2, 3, 1]),
  );
}

/** How the pixels of a data set are normalised: (byte / 255 - mean) / deviation, by channel. */
export interface DataPixels {
  /** [channels, height, width]. */
  readonly dims: readonly [number, number, number];
  readonly normalization: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
}

/** Differences below this are those of numbers that were written down. */
const SAME = 1e-4;

/**
 * The model as the pixels of a data set are fed to its input `pixel_values`: brought to the form in which it was trained, one grey
 * channel given as all that it takes, and its open sizes those of the data. Other inputs stay.
 */
export function forDataPixels(graph: Graph, form: PixelForm | undefined, data: DataPixels): Graph {
  const { shape = [] } = pixelInput(graph);
  const [batch, ...wanted] = shape;
  const [channels, height, width] = data.dims;
  const repeats = channels === 1 && wanted[0] === 3;
  const inModel = repeats ? 3 : channels;
  const change = form && pixelChange(form, data, inModel);
  const reverses = form?.isReversed === true && inModel === 3;
  const isOpen = wanted.some((size) => typeof size === 'string');
  if (!repeats && !change && !reverses && !isOpen) return graph;
  const sizes = [channels, height, width].map((size, axis) =>
    typeof wanted[axis] === 'string' || (axis === 0 && repeats) ? size : (wanted[axis] as number),
  );
  return withInput(graph, [batch as Dim, ...sizes], (g, pixels) => {
    const all = repeats ? g.concat([pixels, pixels, pixels], 1) : pixels;
    const column = (name: string, values: readonly number[]) =>
      g.initializer(name, float32([...values], [values.length, 1, 1]));
    const changed = change
      ? g.add(g.mul(all, column('pixels/scale', change.scale)), column('pixels/offset', change.offset))
      : all;
    if (!reverses) return changed;
    return g.gather(changed, g.initializer('pixels/order', int64([2, 1, 0], [3])), 1);
  });
}

/** What brings normalised pixels of the data to the model's form, by channel; undefined where they have it. */
function pixelChange({ scale, mean, deviation }: PixelForm, { normalization }: DataPixels, channels: number) {
  const at = (values: readonly number[], c: number) => values[values.length === 1 ? 0 : c] ?? Number.NaN;
  const each = Array.from({ length: channels }, (_, c) => ({
    scale: (255 * scale * at(normalization.deviation, c)) / at(deviation, c),
    offset: (255 * scale * at(normalization.mean, c) - at(mean, c)) / at(deviation, c),
  }));
  if (each.some((one) => Number.isNaN(one.scale) || Number.isNaN(one.offset)))
    throw new LimbeckError(
      'teacher.config',
      "the teacher's preprocessor_config.json is for another number of channels",
      {
        where: `image_mean has ${mean.length} numbers, the images ${channels} channels`,
        remedy: 'Take the file that came with the model.',
      },
    );
  const numbers = each.flatMap((one) => [one.scale, one.offset]);
  if (!numbers.every((value) => Number.isFinite(Math.fround(value))))
    throw new LimbeckError(
      'teacher.config',
      "the teacher's preprocessor_config.json leaves no pixel a number",
      {
        where: `rescale_factor ${scale}, image_mean ${mean.join(', ')}, image_std ${deviation.join(', ')}`,
        remedy: 'Take the file that came with the model.',
      },
    );
  const same = each.every((one) => Math.abs(one.scale - 1) < SAME && Math.abs(one.offset) < SAME);
  return same ? undefined : { scale: each.map((one) => one.scale), offset: each.map((one) => one.offset) };
}

/** The model with another input `pixel_values`, of which `body` makes what its input for images was. */
function withInput(
  graph: Graph,
  shape: readonly Dim[],
  body: (g: GraphBuilder, pixels: TypedValue) => TypedValue,
): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const old = pixelInput(graph);
  const bound = new Map(
    graph.inputs.map((input): [string, TypedValue] => [
      input.name,
      input === old
        ? body(g, g.input(PIXEL_VALUES, 'float32', shape))
        : g.input(input.name, input.type as NonNullable<Value['type']>, input.shape ?? []),
    ]),
  );
  const values = g.copy(graph, bound);
  for (const output of graph.outputs) g.output(values.get(output) as Value);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}

/** The input for images: `pixel_values`, or the only one. */
function pixelInput({ inputs }: Graph): Value {
  return (inputs.find(({ name }) => name === PIXEL_VALUES) ?? inputs[0]) as Value;
}
