import munkres from 'munkres';

/** Answers counted by (truth, answer), row-major. */
export interface AnswerCounts {
  readonly classes: number;
  readonly counts: ArrayLike<number>;
}

/** Another order of the classes, under which the answers fit the truth better than chance can make them. */
export interface BetterOrder {
  /** For each class the answer that stands for it; itself for a class that is right where it is. */
  readonly answerOf: readonly number[];
  /** Classes that move. */
  readonly moved: readonly number[];
  /** Right answers as the classes stand, and in the other order. */
  readonly rightBefore: number;
  readonly rightAfter: number;
}

/** How seldom a swap may be found where there is none: once in a hundred tables, whatever the number of classes. */
const SIGNIFICANCE = 0.01;

/** The assignment takes memory by the square and time by the cube of the classes; with more it is not looked for. */
const MOST_CLASSES = 3000;

/**
 * Finds classes whose answers are in each other's places: the assignment of answers to classes with the most right
 * answers (Kuhn's Hungarian method), of which only those cycles are kept whose gain is no accident by a sign test over the
 * samples that one of the two orders gets right, corrected for the number of pairs of classes. Undefined without any.
 */
export function betterOrder({ classes, counts }: AnswerCounts): BetterOrder | undefined {
  if (classes > MOST_CLASSES) return undefined;
  const at = (truth: number, answer: number) => counts[truth * classes + answer] as number;
  const order = assign(classes, at);
  const answerOf = Array.from({ length: classes }, (_, k) => k);
  const limit = SIGNIFICANCE / Math.max(1, (classes * (classes - 1)) / 2);
  const seen = new Set<number>();
  for (let start = 0; start < classes; start++) {
    if (seen.has(start)) continue;
    const cycle: number[] = [];
    for (let k = start; !seen.has(k); k = order[k] as number) {
      seen.add(k);
      cycle.push(k);
    }
    if (cycle.length < 2 || !improves(cycle, order, at, limit)) continue;
    for (const k of cycle) answerOf[k] = order[k] as number;
  }
  const moved = answerOf.flatMap((answer, k) => (answer === k ? [] : [k]));
  if (moved.length === 0) return undefined;
  const right = (of: readonly number[]) => of.reduce((sum, answer, k) => sum + at(k, answer), 0);
  return { answerOf, moved, rightBefore: right(answerOf.map((_, k) => k)), rightAfter: right(answerOf) };
}

/** The permutation with the largest sum of counts and, of those, the one that leaves most classes in their place. */
function assign(classes: number, at: (truth: number, answer: number) => number): number[] {
  const scale = classes + 1;
  const costs = Array.from({ length: classes }, (_, truth) =>
    Array.from({ length: classes }, (_, answer) => -(at(truth, answer) * scale + Number(truth === answer))),
  );
  const order = new Array<number>(classes).fill(0);
  for (const [truth, answer] of munkres(costs)) order[truth] = answer;
  return order;
}

/** Whether every class of a cycle that has samples gains, and all together more than by accident. */
function improves(
  cycle: readonly number[],
  order: readonly number[],
  at: (truth: number, answer: number) => number,
  limit: number,
): boolean {
  let [after, before] = [0, 0];
  for (const k of cycle) {
    const gained = at(k, order[k] as number);
    const lost = at(k, k);
    after += gained;
    before += lost;
    if (lost > gained) return false;
  }
  return signTest(after, before) < limit;
}

/** The chance that a fair coin shows heads at least `heads` times of `heads + tails`. */
export function signTest(heads: number, tails: number): number {
  const tosses = heads + tails;
  let logTerm = -tosses * Math.LN2;
  let sum = 0;
  for (let k = 0; k <= tosses; k++) {
    if (k >= heads) sum += Math.exp(logTerm);
    logTerm += Math.log(tosses - k) - Math.log(k + 1);
  }
  return Math.min(1, sum);
}
