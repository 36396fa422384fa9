/** How many samples a class has that may go into a held-out split, and its name, by which ties are broken. */
export interface ClassCount {
  readonly name: string;
  readonly count: number;
}

/**
 * Divides `wanted` places of a held-out split among classes in proportion to their samples, by largest remainders
 * (Hamilton's method), so that the counts of classes depend on no seed. A class keeps one sample to train on where others
 * have enough; of two samples one is held out, if the split has a place for every class.
 *
 * So the first sample of a rare class goes to train, the second to the split that is drawn first (test), the third to
 * the one that is drawn next (validation).
 *
 * @param spare what every class keeps back: 0 for a choice of training samples
 */
export function classQuotas(classes: readonly ClassCount[], wanted: number, spare: 0 | 1 = 1): number[] {
  const total = classes.reduce((sum, { count }) => sum + count, 0);
  const exact = classes.map(({ count }) => (total === 0 ? 0 : (wanted * count) / total));
  const most = classes.map(({ count }) => Math.max(0, count - spare));
  const several = most.filter((count) => count > 0).length;
  const least = most.map((count) => (several <= wanted ? Math.min(1, count) : 0));
  const quotas = exact.map((share, i) =>
    Math.min(most[i] as number, Math.max(least[i] as number, Math.floor(share))),
  );
  const order = classes
    .map((_, i) => i)
    .sort((a, b) => ((classes[a] as ClassCount).name < (classes[b] as ClassCount).name ? -1 : 1));
  const owed = (i: number) => (exact[i] as number) - (quotas[i] as number);
  const choose = (eligible: (i: number) => boolean, better: (a: number, b: number) => boolean) => {
    let best = -1;
    for (const i of order) if (eligible(i) && (best < 0 || better(owed(i), owed(best)))) best = i;
    return best;
  };
  let left = wanted - quotas.reduce((sum, quota) => sum + quota, 0);
  const change = (i: number, by: 1 | -1) => {
    (quotas[i] as number) += by;
    left -= by;
  };
  while (left > 0) {
    let next = choose(
      (i) => (quotas[i] as number) < (most[i] as number),
      (a, b) => a > b,
    );
    // More is wanted than leaves every class a sample to train on.
    if (next < 0) {
      next = choose(
        (i) => (quotas[i] as number) < (classes[i] as ClassCount).count,
        (a, b) => a > b,
      );
    }
    if (next < 0) break;
    change(next, 1);
  }
  while (left < 0) {
    const next = choose(
      (i) => (quotas[i] as number) > (least[i] as number),
      (a, b) => a < b,
    );
    if (next < 0) break;
    change(next, -1);
  }
  return quotas;
}
