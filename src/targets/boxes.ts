import { z } from 'zod';
import { classNames } from '../data/labels/class-name.ts';
import { LimbeckError } from '../errors.ts';
import { DetectionScores, detectionF1 } from '../metrics/detection-f1.ts';
import { detectionPrecision } from '../metrics/detection-precision.ts';
import type { Answers, MeasuredBatch } from '../metrics/metric.ts';
import { columnOf, rowOf } from '../metrics/output-rows.ts';
import { float32 } from '../onnx/tensor.ts';
import { type BoxSpace, foundBoxes, SIZE_CHANNELS, trueBoxes } from './box-grid.ts';
import { boxesTruth, boxListColumn } from './boxes-truth.ts';
import { idsOf } from './class-ids.ts';
import { HEAT_MAPS } from './inner/heat-maps.ts';
import { defineTarget, type MeasureContext } from './target.ts';

const options = z
  .object({
    labels: classNames
      .optional()
      .describe('The classes of things in the order of the maps; those that rows have when absent.'),
    grid: z
      .tuple([z.int().min(2).max(512), z.int().min(2).max(512)])
      .default([16, 16])
      .describe('Rows and columns of the map in which centres are found: two things in one cell are one.'),
    format: z
      .enum(['xywh', 'xyxy', 'cxcywh'])
      .optional()
      .describe(
        'What four numbers in a list are: the corner at the left and top and the size (COCO), two corners (Pascal VOC), or the centre and the size (YOLO). As the source says, or xywh, when absent.',
      ),
    unit: z
      .enum(['relative', 'pixels'])
      .optional()
      .describe(
        "What boxes are counted in: parts of width and height, or pixels of each row's image. As the source says, else pixels with imageSize, else relative, when absent.",
      ),
    imageSize: z
      .tuple([z.int().positive(), z.int().positive()])
      .optional()
      .describe('[width, height] of what pixels are counted in, where that is not the image of the row.'),
    width: z.int().positive().max(1024).default(32).describe('Channels of the layer before the maps.'),
  })
  .describe(
    'Boxes around things: a heat map of centres for each class, and sizes (CenterNet, Zhou et al., 2019).',
  );

/** What the heat maps begin with: a sigmoid of 0.1, as few places are centres (Lin et al., 2017, section 4.1). */
const RARE = -Math.log(9);

/**
 * Boxes: output float32 [batch, 4 + classes, rows, columns]: width, height and offsets in cells, then a heat map of logits
 * for each class. Zhou, Wang and Kraehenbuehl, "Objects as Points" (2019).
 */
export const boxes = defineTarget({
  kind: 'boxes',
  title: 'boxes around things',
  field: 'boxes',
  options,
  features: 'map',
  truth: (chosen) => boxesTruth(chosen),
  attach(g, make, features, { space, output, scope, options: { width } }) {
    const { names, rows, columns } = space;
    if (!features.value) throw new Error('features without values have no maps');
    const [, , height, across] = features.value.shape as number[];
    const scales = [1, 1, rows / (height as number), columns / (across as number)];
    const map = scales.every((scale) => scale === 1)
      ? features.value
      : g.op('Resize', [features.value, null, g.constant(float32(scales))], { mode: 'linear' });
    // Scales are float32: of some sizes the product falls short of a whole number.
    const [, , gotRows, gotColumns] = map.shape;
    if (gotRows !== rows || gotColumns !== columns) {
      throw new LimbeckError(
        'recipe.invalid',
        `a grid of ${rows}x${columns} cannot be made of the student's map of ${height}x${across} (rows x columns)`,
        {
          where: `outputs.${output}.grid`,
          remedy: `Take the map's own size, [${height}, ${across}], or twice it, [${2 * (height as number)}, ${2 * (across as number)}]; or change the size of the images or the stages of the student.`,
        },
      );
    }
    return g.scope(scope, () => {
      const deviation = Math.sqrt(2 / (9 * features.width));
      const weight = make.normal('hidden/weight', [width, features.width, 3, 3], deviation);
      const inner = g.op('Conv', [map, weight, make.constant('hidden/bias', [width], 0)], {
        pads: [1, 1, 1, 1],
      });
      const outputs = SIZE_CHANNELS + names.length;
      const maps = make.normal('weight', [outputs, width, 1, 1], 0.01);
      const all = g.op('Conv', [g.relu(inner), maps, make.constant('bias', [outputs], 0)]);
      const start = Array.from({ length: outputs }, (_, channel) => (channel < SIZE_CHANNELS ? 0 : RARE));
      return g.add(all, g.constant(float32(start, [1, outputs, 1, 1])));
    });
  },
  objective: {
    labels: {
      centreFocal: { weight: 1, channels: [SIZE_CHANNELS, null] },
      centreSizes: { weight: 0.1, channels: [0, SIZE_CHANNELS] },
    },
    teacher: {
      centreFocalKd: { weight: 1, channels: [SIZE_CHANNELS, null] },
      centreSizesKd: { weight: 0.1, sizes: [0, SIZE_CHANNELS], channels: [SIZE_CHANNELS, null] },
    },
  },
  tune(context) {
    const score = new DetectionScores(0.5);
    const { truths, found } = measuredBoxes(context);
    return {
      add(answers, batch) {
        for (let row = 0; row < batch.filled; row++) {
          const there = truths(batch, row);
          if (there) score.add(there, found(answers, batch, row));
        }
      },
      result: () => [score.threshold()],
    };
  },
  metrics(context) {
    const measured = measuredBoxes(context);
    return [
      detectionPrecision({ ...measured, overlap: 0.5 }),
      detectionPrecision(measured),
      detectionF1({ ...measured, overlap: 0.5, threshold: context.tuned?.[0] }),
    ];
  },
  saying: (maps, space) =>
    foundBoxes(maps, space).some(({ score }) => score >= LEAST_SURE) ? undefined : 'no boxes',
  inner: HEAT_MAPS,
  example: { names: ['a'], rows: 2, columns: 2, most: 1 },
  exampleOf: ({ grid: [rows, columns] }) => ({ names: ['a'], rows, columns, most: 1 }),
  selection: 'mAP@50',
  encoding: 'float16',
  dims: ({ names, rows, columns }) => [SIZE_CHANNELS + names.length, rows, columns],
  classes: (space) => space.names,
  config: (space, _options, tuned) => ({
    ...idsOf(space.names),
    // What `decodeBoxes` reads.
    grid: [space.rows, space.columns],
    ...(tuned && { threshold: tuned[0] }),
  }),
});

/** Of boxes with a smaller score nothing is said. */
const LEAST_SURE = 0.1;

/** How truth and answers are read from columns. */
function measuredBoxes({ space, labels }: MeasureContext<unknown, BoxSpace>) {
  return {
    classes: space.names.length,
    found: (answers: Answers, _batch: MeasuredBatch, row: number) =>
      foundBoxes(rowOf(answers, row) as Float32Array, space),
    truths: (batch: MeasuredBatch, row: number) =>
      trueBoxes(rowOf(columnOf(batch.columns, boxListColumn(labels)), row) as Float32Array),
  };
}
