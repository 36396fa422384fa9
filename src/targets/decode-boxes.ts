import type { FoundBox } from '../metrics/detection-precision.ts';
import { foundBoxes, SIZE_CHANNELS } from './box-grid.ts';

/** A box that a model found. */
export interface DetectedBox {
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
  /** Left, top, right and bottom as parts of the image's width and height. */
  readonly box: readonly [number, number, number, number];
}

export interface DecodeOptions {
  /** Boxes from this score on; what a student's config.json has as `limbeck.threshold` is the best on validation images. */
  readonly threshold?: number;
}

/**
 * The boxes in the maps that a detector answers (its output `boxes`), the best ones first: peaks of the heat maps whose score
 * is at least `threshold`, 100 at most. For ONNX Runtime in Node and in a page; `pipeline('object-detection')` of
 * transformers.js does the same from the outputs `logits` and `pred_boxes`.
 *
 * @param maps float32 [batch, 4 + classes, rows, columns]
 * @param labels the classes' names in their order (`id2label` of config.json)
 * @returns for each image its boxes
 * @throws TypeError for maps of another shape
 *
 * @example
 * const { boxes } = await session.run({ pixel_values });
 * const [found] = decodeBoxes(boxes, Object.values(config.id2label), { threshold: config.limbeck.threshold });
 *
 * Zhou, Wang and Kraehenbuehl, "Objects as Points" (2019), section 3.
 */
export function decodeBoxes(
  maps: { readonly dims: readonly number[]; readonly data: unknown },
  labels: readonly string[],
  { threshold = 0.3 }: DecodeOptions = {},
): DetectedBox[][] {
  const [batch = 0, channels, rows = 0, columns = 0] = maps.dims;
  const { data } = maps;
  if (
    maps.dims.length !== 4 ||
    channels !== SIZE_CHANNELS + labels.length ||
    !(data instanceof Float32Array)
  ) {
    throw new TypeError(
      `expected maps float32 [batch, ${SIZE_CHANNELS + labels.length}, rows, columns], got [${maps.dims.join(', ')}]`,
    );
  }
  const size = channels * rows * columns;
  return Array.from({ length: batch }, (_, i) =>
    foundBoxes(data.subarray(i * size, (i + 1) * size), { names: labels, rows, columns })
      .filter(({ score }) => score >= threshold)
      .map(({ class: kind, score, box }: FoundBox) => ({ label: labels[kind] as string, score, box })),
  );
}
