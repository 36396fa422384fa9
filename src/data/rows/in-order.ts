/** Values that may take a while, in the order in which they were asked for; at most `most` are on their way at once. */
export async function* inOrder<In, Out>(
  values: AsyncIterable<In>,
  begin: (value: In) => Out | Promise<Out>,
  most: number,
): AsyncGenerator<Out> {
  const waiting: (Out | Promise<Out>)[] = [];
  for await (const value of values) {
    const begun = begin(value);
    // Nothing is on its way: no need to wait for it.
    if (waiting.length === 0 && !(begun instanceof Promise)) {
      yield begun;
      continue;
    }
    // One that fails is told when its turn comes.
    if (begun instanceof Promise) begun.catch(() => undefined);
    waiting.push(begun);
    if (waiting.length >= most) yield await (waiting.shift() as Out | Promise<Out>);
  }
  for (const begun of waiting) yield await begun;
}
