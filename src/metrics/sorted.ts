/** The places of the largest value, the second largest and so on; equal values in their order of appearance. */
export function byFalling(values: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i);
  return order.sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
}

/** The rank of each value, 1 for the smallest; equal values share the mean of their ranks (as scipy's `rankdata`). */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = byFalling(values);
  const ranks = new Float64Array(values.length);
  for (const [from, to] of ties(values, order)) {
    // Places from to to - 1 from the top are ranks n - from down to n - to + 1 from the bottom.
    const rank = values.length - (from + to - 1) / 2;
    for (let i = from; i < to; i++) ranks[order[i] as number] = rank;
  }
  return ranks;
}

/** The runs [from, to) of equal values in an order. */
export function* ties(values: ArrayLike<number>, order: ArrayLike<number>): Generator<[number, number]> {
  let from = 0;
  for (let to = 1; to <= order.length; to++) {
    if (to < order.length && values[order[to] as number] === values[order[from] as number]) continue;
    yield [from, to];
    from = to;
  }
}
