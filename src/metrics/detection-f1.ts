import { bootstrapInterval } from './bootstrap.ts';
import { chooseThreshold } from './class-thresholds.ts';
import {
  type DetectionOptions,
  type FoundBox,
  overlapOf,
  type TrueBox,
  takeBest,
} from './detection-precision.ts';
import type { Interval } from './interval.ts';
import { type Metric, metric } from './metric.ts';

/** Of the found boxes of one image: their scores, and whether each is a true one's; and how many true ones there are. */
interface ImageScores {
  readonly scores: readonly number[];
  readonly right: readonly boolean[];
  readonly present: number;
}

/** Found boxes of many images, matched to true ones of their class: the best first, each true box once. */
export class DetectionScores {
  readonly #overlap: number;
  readonly #images: ImageScores[] = [];

  constructor(overlap: number) {
    this.#overlap = overlap;
  }

  add(truths: readonly TrueBox[], found: readonly FoundBox[]): void {
    const order = [...found].sort((a, b) => b.score - a.score);
    const taken = new Map<number, Set<number>>();
    const right = order.map(({ class: kind, box }) => {
      const own = taken.get(kind) ?? new Set<number>();
      taken.set(kind, own);
      const shared = truths.filter((truth) => truth.class === kind).map((truth) => overlapOf(box, truth.box));
      return takeBest(shared, this.#overlap, own);
    });
    this.#images.push({ scores: order.map(({ score }) => score), right, present: truths.length });
  }

  /** The score from which on boxes count, so that their F1 is the highest; 0.5 where no box is right. */
  threshold(): number {
    const scores = this.#images.flatMap((image) => image.scores);
    const right = this.#images.flatMap((image) => image.right.map(Number));
    // Boxes that were not found at all are missed at every threshold.
    const missed = this.#images.reduce((sum, { present }) => sum + present, 0) - right.filter(Boolean).length;
    const never = new Array<number>(missed);
    return chooseThreshold([...scores, ...never.fill(-1)], [...right, ...never.fill(1)], 0.5).threshold;
  }

  /** 2 x right / (found + present) among boxes with `threshold` and more, of images that count so much each. */
  f1(threshold: number, weights?: Float64Array): number {
    let [right, called, present] = [0, 0, 0];
    this.#images.forEach((image, i) => {
      const weight = weights?.[i] ?? 1;
      present += weight * image.present;
      image.scores.forEach((score, k) => {
        if (score < threshold) return;
        called += weight;
        if (image.right[k]) right += weight;
      });
    });
    return called + present > 0 ? (2 * right) / (called + present) : Number.NaN;
  }

  /** The 95 % interval by a bootstrap over images. */
  interval(threshold: number): Interval {
    return bootstrapInterval(this.#images.length, (weights) => this.f1(threshold, weights), 200);
  }
}

/** F1 of boxes whose score is at least `threshold` (0.5): a found box is right that overlaps a true one of its class. */
export function detectionF1(
  options: Omit<DetectionOptions, 'classes' | 'interpolation'> & { readonly threshold?: number | undefined },
): Metric {
  const { found, truths, overlap = 0.5, threshold = 0.5 } = options;
  const percent = Math.round(100 * overlap);
  return metric<DetectionScores>({
    name: `boxesF1@${percent}`,
    title: `F1 of boxes@${percent}`,
    better: 'higher',
    format: 'percent',
    start: () => new DetectionScores(overlap),
    add(scores, answers, batch) {
      for (let row = 0; row < batch.filled; row++) {
        const boxes = truths(batch, row);
        if (boxes) scores.add(boxes, found(answers, batch, row));
      }
    },
    value: (scores) => scores.f1(threshold),
    interval: (scores) => scores.interval(threshold),
  });
}
