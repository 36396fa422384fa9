/**
 * Works on several things at once, at most `most`, and gives what came of them in their order. The next thing is taken when
 * there is room for it. What fails is thrown at its place, after all that was begun has come to an end.
 *
 * @example
 * for await (const [batch, answers] of inFlight(batches, 2, (batch) => teacher.label(batch, taps))) keep(batch, answers);
 */
export async function* inFlight<Thing, Result>(
  things: Iterable<Thing> | AsyncIterable<Thing>,
  most: number,
  work: (thing: Thing) => Promise<Result>,
): AsyncGenerator<readonly [Thing, Result]> {
  const begun: { readonly thing: Thing; readonly result: Promise<Result> }[] = [];
  const first = async () => {
    const { thing, result } = begun[0] as (typeof begun)[number];
    const value = await result;
    begun.shift();
    return [thing, value] as const;
  };
  try {
    for await (const thing of things) {
      const result = work(thing);
      // Its failure is told when its turn comes; until then it is no unhandled one.
      result.catch(() => {});
      begun.push({ thing, result });
      if (begun.length >= most) yield await first();
    }
    while (begun.length > 0) yield await first();
  } finally {
    await Promise.allSettled(begun.map(({ result }) => result));
  }
}
