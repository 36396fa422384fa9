import { bootstrapInterval } from './bootstrap.ts';
import type { Interval } from './interval.ts';
import { type Answers, type MeasuredBatch, type Metric, metric } from './metric.ts';
import { byFalling } from './sorted.ts';

/** Corners in any one unit: left, top, right, bottom. */
export type Box = readonly [number, number, number, number];

export interface TrueBox {
  readonly class: number;
  readonly box: Box;
}

export interface FoundBox extends TrueBox {
  readonly score: number;
}

/** COCO's ten thresholds of overlap. */
export const COCO_OVERLAPS = Array.from({ length: 10 }, (_, i) => 0.5 + i * 0.05);

/** How precision is averaged over recall: COCO's 101 points, VOC 2007's 11, or the area under the curve (VOC 2010). */
export type Interpolation = 101 | 11 | 'area';

/** One found box: its score, its image, and at which overlaps it is a true one's. */
interface Match {
  readonly score: number;
  readonly image: number;
  readonly right: readonly boolean[];
}

/** What was found and what is there, over images: a record a found box, never the images. */
export class DetectionMatches {
  readonly #overlaps: readonly number[];
  readonly #mostFound: number;
  readonly #matches: Match[][] = [];
  /** By class, the number of true boxes of each image that has some. */
  readonly #truths: Map<number, number>[] = [];
  #images = 0;

  /** `mostFound`: boxes of a class that count in an image, the best ones; 100 as COCO has it. */
  constructor(classes: number, overlaps: readonly number[] = COCO_OVERLAPS, mostFound = 100) {
    this.#overlaps = overlaps;
    this.#mostFound = mostFound;
    for (let k = 0; k < classes; k++) {
      this.#matches.push([]);
      this.#truths.push(new Map());
    }
  }

  /** Matches the boxes of one image: the best found one first takes the true box that it overlaps most and is free. */
  add(truths: readonly TrueBox[], found: readonly FoundBox[]): void {
    const image = this.#images++;
    this.#matches.forEach((matches, k) => {
      const own = truths.filter((box) => box.class === k);
      const called = found.filter((box) => box.class === k);
      const order = byFalling(called.map(({ score }) => score)).subarray(0, this.#mostFound);
      if (own.length > 0) this.#truths[k]!.set(image, own.length);
      const taken = this.#overlaps.map(() => new Set<number>());
      for (const place of order) {
        const { box, score } = called[place]!;
        const shared = own.map((truth) => overlapOf(box, truth.box));
        const right = this.#overlaps.map((least, o) => takeBest(shared, least, taken[o]!));
        matches.push({ score, image, right });
      }
    });
  }

  /** Mean average precision over classes that have boxes, and over the overlaps or one of them; NaN without any. */
  meanPrecision(interpolation: Interpolation = 101, overlap?: number, weights?: Float64Array): number {
    const places =
      overlap === undefined
        ? this.#overlaps.map((_, o) => o)
        : [this.#overlaps.findIndex((other) => Math.abs(other - overlap) < 1e-9)];
    if (places.includes(-1)) throw new Error(`no boxes were matched at an overlap of ${overlap}`);
    const values: number[] = [];
    this.#matches.forEach((matches, k) => {
      let present = 0;
      for (const [image, count] of this.#truths[k]!) present += count * (weights?.[image] ?? 1);
      if (present === 0) return;
      const order = byFalling(matches.map(({ score }) => score));
      for (const o of places) {
        const { recalls, precisions } = curve(matches, order, o, present, weights);
        values.push(average(recalls, precisions, interpolation));
      }
    });
    return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : Number.NaN;
  }

  /** The 95 % interval by a bootstrap over images. */
  interval(interpolation: Interpolation = 101, overlap?: number): Interval {
    return bootstrapInterval(
      this.#images,
      (weights) => this.meanPrecision(interpolation, overlap, weights),
      200,
    );
  }
}

/** Intersection over union, 0 to 1; 0 for boxes without an area. */
export function overlapOf(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / (areaOf(a) + areaOf(b) - shared);
}

function areaOf([left, top, right, bottom]: Box): number {
  return (right - left) * (bottom - top);
}

/** Takes the free true box with the largest overlap of at least `least`; of equal ones the last, as COCO does. */
export function takeBest(shared: readonly number[], least: number, taken: Set<number>): boolean {
  let [best, place] = [Math.min(least, 1 - 1e-10), -1];
  shared.forEach((overlap, i) => {
    if (taken.has(i) || overlap < best) return;
    [best, place] = [overlap, i];
  });
  if (place >= 0) taken.add(place);
  return place >= 0;
}

/** Recall and precision by falling score; precision is the highest one from there on. */
function curve(
  matches: readonly Match[],
  order: Uint32Array,
  overlap: number,
  present: number,
  weights: Float64Array | undefined,
) {
  let [right, called] = [0, 0];
  const recalls = new Float64Array(order.length);
  const precisions = new Float64Array(order.length);
  order.forEach((place, i) => {
    const match = matches[place]!;
    const weight = weights?.[match.image] ?? 1;
    called += weight;
    if (match.right[overlap]) right += weight;
    recalls[i] = right / present;
    precisions[i] = called > 0 ? right / called : 0;
  });
  for (let i = order.length - 2; i >= 0; i--) precisions[i] = Math.max(precisions[i]!, precisions[i + 1]!);
  return { recalls, precisions };
}

/**
 * COCO: Lin et al., "Microsoft COCO: Common Objects in Context" (2014). VOC: Everingham et al., "The Pascal Visual Object
 * Classes (VOC) Challenge" (2010).
 */
function average(recalls: Float64Array, precisions: Float64Array, interpolation: Interpolation): number {
  if (interpolation === 'area') {
    return precisions.reduce(
      (sum, precision, i) => sum + precision * (recalls[i]! - (recalls[i - 1] ?? 0)),
      0,
    );
  }
  let [sum, i] = [0, 0];
  for (let point = 0; point < interpolation; point++) {
    // A product as numpy's linspace has it, so that a recall of 7 / 25 misses the point 0.28 as it does in pycocotools.
    const least = point === interpolation - 1 ? 1 : point * (1 / (interpolation - 1));
    while (i < recalls.length && recalls[i]! < least) i++;
    sum += precisions[i] ?? 0;
  }
  return sum / interpolation;
}

/** What detection is measured with: a head knows how to read boxes out of its output and of its columns. */
export interface DetectionOptions {
  readonly classes: number;
  found(answers: Answers, batch: MeasuredBatch, row: number): readonly FoundBox[];
  /** Undefined where nobody says which boxes there are. */
  truths(batch: MeasuredBatch, row: number): readonly TrueBox[] | undefined;
  /** COCO's mean over its ten overlaps when absent. */
  readonly overlap?: number;
  readonly interpolation?: Interpolation;
}

/** Mean average precision of boxes; by default COCO's: 101 points of recall, overlaps of 0.5 to 0.95. */
export function detectionPrecision(options: DetectionOptions): Metric {
  const { classes, found, truths, overlap, interpolation = 101 } = options;
  const percent = overlap === undefined ? '' : `@${Math.round(100 * overlap)}`;
  return metric<DetectionMatches>({
    name: `${interpolation === 101 ? 'mAP' : `vocAP${interpolation === 11 ? '11' : ''}`}${percent}`,
    title: `${interpolation === 101 ? 'mAP' : 'VOC mAP'}${percent}`,
    better: 'higher',
    format: 'percent',
    start: () => new DetectionMatches(classes, overlap === undefined ? COCO_OVERLAPS : [overlap]),
    add(matches, answers, batch) {
      for (let row = 0; row < batch.filled; row++) {
        const boxes = truths(batch, row);
        if (boxes) matches.add(boxes, found(answers, batch, row));
      }
    },
    value: (matches) => matches.meanPrecision(interpolation),
    interval: (matches) => matches.interval(interpolation),
  });
}
