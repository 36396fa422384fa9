/** Rows are truths, columns are answers. */
export type ConfusionCounts = number[][];

/** Counts of (truth, predicted); grows by one addition per answer, whatever the number of texts. */
export interface Confusion {
  readonly classes: number;
  /** Row-major [truth, predicted]. */
  readonly counts: Float64Array;
}

export function createConfusion(classes: number): Confusion {
  return { classes, counts: new Float64Array(classes * classes) };
}

/** Counts one answer. Throws when a class is out of range: predictions and labels then belong to different lists. */
export function countAnswer(confusion: Confusion, truth: number, predicted: number): void {
  const { classes, counts } = confusion;
  for (const index of [truth, predicted]) {
    if (!Number.isInteger(index) || index < 0 || index >= classes) {
      throw new Error(`class ${index} is outside the confusion matrix of ${classes} classes`);
    }
  }
  counts[truth * classes + predicted]! += 1;
}

export function confusionCounts(confusion: Confusion): ConfusionCounts {
  const { classes, counts } = confusion;
  return Array.from({ length: classes }, (_, row) =>
    Array.from(counts.subarray(row * classes, (row + 1) * classes)),
  );
}

/** How a model does on one class. */
export interface ClassResult {
  /** Texts of this class. */
  support: number;
  /** Right answers / support, which is the class's recall; null without support. */
  accuracy: number | null;
  /** Right answers / texts called this class; null when nothing was. */
  precision: number | null;
  /** 2 TP / (2 TP + FP + FN); null when the class has neither texts nor answers. */
  f1: number | null;
}

export function classResults(counts: ConfusionCounts): ClassResult[] {
  return counts.map((row, index) => {
    const right = row[index] ?? 0;
    const support = sum(row);
    const called = sum(counts.map((other) => other[index] ?? 0));
    return {
      support,
      accuracy: support > 0 ? right / support : null,
      precision: called > 0 ? right / called : null,
      f1: support + called > 0 ? (2 * right) / (support + called) : null,
    };
  });
}

/** Right answers / answers; 0 when there are none. */
export function accuracy(counts: ConfusionCounts): number {
  const total = sum(counts.map(sum));
  return total > 0 ? sum(counts.map((row, index) => row[index] ?? 0)) / total : 0;
}

/**
 * Mean F1 over the classes with support; 0 when there are none. Classes without a test text are left out: their
 * F1 is 0 or undefined whatever the model does.
 */
export function macroF1(counts: ConfusionCounts): number {
  const present = classResults(counts).filter((result) => result.support > 0);
  return present.length > 0 ? sum(present.map((result) => result.f1 ?? 0)) / present.length : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
