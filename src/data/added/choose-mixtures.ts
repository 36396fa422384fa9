import type { RandomStream } from '../../random.ts';
import type { Mixture } from './mixed-split.ts';

/** A sample near the teacher's decision boundary. */
export interface BoundarySample {
  readonly bucket: number;
  /** Its position in the bucket. */
  readonly index: number;
  /** What the teacher decides: a class, or the classes that it says yes to. */
  readonly answer: number | string;
}

/**
 * Pairs of samples of one bucket to which the teacher gives different classes, with parts drawn from Beta(alpha, alpha)
 * (Zhang et al., "mixup", 2018, section 2). Fewer than `count` where no such pairs are there.
 */
export function chooseMixtures(options: {
  readonly near: readonly BoundarySample[];
  readonly count: number;
  /** Above 0, at most 1: 1 draws evenly, less leaves one of the two nearly as it is. */
  readonly alpha: number;
  readonly random: RandomStream;
}): Mixture[] {
  const { near, count, alpha, random } = options;
  const byBucket = new Map<number, BoundarySample[]>();
  for (const sample of near) {
    const known = byBucket.get(sample.bucket);
    if (known) known.push(sample);
    else byBucket.set(sample.bucket, [sample]);
  }
  const mixtures: Mixture[] = [];
  for (let attempt = 0; mixtures.length < count && attempt < 20 * count; attempt++) {
    const a = near[random.integer(near.length)] as BoundarySample;
    const beside = byBucket.get(a.bucket) as BoundarySample[];
    const b = beside[random.integer(beside.length)] as BoundarySample;
    if (a.answer === b.answer) continue;
    const part = Math.fround(symmetricBeta(alpha, random));
    mixtures.push({ bucket: a.bucket, first: a.index, second: b.index, part });
  }
  return mixtures;
}

/** A draw from Beta(alpha, alpha), alpha at most 1 (Jöhnk, "Erzeugung von betaverteilten Zufallszahlen", 1964). */
export function symmetricBeta(alpha: number, random: RandomStream): number {
  if (!(alpha > 0 && alpha <= 1)) throw new Error(`alpha is ${alpha}`);
  if (alpha === 1) return random.uniform();
  for (;;) {
    const x = random.uniform() ** (1 / alpha);
    const y = random.uniform() ** (1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}
