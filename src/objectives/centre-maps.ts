import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { ROW_WEIGHTS } from './answer-rows.ts';
import type { ObjectiveInputs } from './objective.ts';
import type { OutputNames } from './output-names.ts';

/** The option of a loss that looks at some of an output's maps. */
export const channelsOption = z
  .tuple([z.int().nonnegative(), z.int().positive().nullable()])
  .refine(([from, to]) => to === null || from < to, {
    error: 'expected the first channel and the one after the last',
  })
  .optional()
  .describe(
    "The output's maps that it looks at: the first, and the one after the last (null: all from there on); all when absent.",
  );

/** Maps of an output, and what is true of them. */
export interface CentreMaps {
  /** float32 [B, channels, H, W] */
  readonly maps: TypedValue;
  /** float32 [B, channels, H, W]; NaN where nothing counts. */
  readonly target: TypedValue;
  /** float32 [B] */
  readonly rowWeights: TypedValue;
}

/**
 * Some channels of an output [B, C, H, W], and of the labels beside it, which are of its shape.
 *
 * @throws LimbeckError `train.objective-output` for an output of another form, or with fewer channels
 */
export function centreMaps(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  names: OutputNames,
  channels: Channels | undefined,
): CentreMaps {
  const maps = studentMaps(inputs, names, channels);
  const { shape } = maps;
  const labels = inputs.input(
    names.labels,
    'float32',
    shape as number[],
    `what '${names.output}' should be; NaN does not count`,
  );
  return {
    maps: mapsOf(g, maps, channels),
    target: mapsOf(g, labels, channels),
    rowWeights: mapWeights(inputs, names, shape),
  };
}

/** All maps of an output, float32 [B, C, H, W]. @throws LimbeckError `train.objective-output` as `centreMaps` does */
export function studentMaps(
  inputs: ObjectiveInputs,
  names: OutputNames,
  channels: Channels | undefined,
): TypedValue {
  const whole = inputs.student(names.output);
  const dims = whole.shape as number[];
  const end = channels?.[1] ?? (dims[1] as number);
  const from = channels?.[0] ?? 0;
  if (whole.type !== 'float32' || dims.length !== 4 || end > (dims[1] as number) || from >= end) {
    const asked = channels ? ` ${from} to ${end - 1}` : '';
    throw new LimbeckError('train.objective-output', `the output '${names.output}' has no maps${asked}`, {
      where: `objective ${names.term}, output '${names.output}': ${whole.type}${formatShape(dims)}`,
      remedy: 'Name another output, float32 [batch, channels, height, width], or other channels.',
    });
  }
  return whole;
}

/** The first channel and the one after the last, or null. */
export type Channels = readonly [number, number | null];

/** Those of the channels [B, C, H, W] that a term looks at. */
export function mapsOf(g: GraphBuilder, maps: TypedValue, channels: Channels | undefined): TypedValue {
  return channels ? g.slice(maps, 1, channels[0], channels[1] ?? (maps.shape[1] as number)) : maps;
}

/** float32 [B] */
export function mapWeights(
  inputs: ObjectiveInputs,
  names: OutputNames,
  shape: TypedValue['shape'],
): TypedValue {
  return inputs.input(names.rowWeights, 'float32', [shape[0] as number], ROW_WEIGHTS);
}

/** float32 [B, 1, 1, 1] */
export function perMap(g: GraphBuilder, rowWeights: TypedValue): TypedValue {
  return g.unsqueeze(rowWeights, [1, 2, 3]);
}
