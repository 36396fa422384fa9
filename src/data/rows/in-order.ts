/**
 * Does something with values that may take a while, in the order in which they were asked for; at most `most` are on their way
 * at once. What takes no while costs no turn of the event loop beside that of its value.
 */
export async function inOrder<In, Out>(
  values: AsyncIterable<In>,
  begin: (value: In) => Out | Promise<Out>,
  most: number,
  take: (value: Out) => void,
): Promise<void> {
  const waiting: (Out | Promise<Out>)[] = [];
  for await (const value of values) {
    const begun = begin(value);
    // Nothing is on its way: no need to wait for it.
    if (waiting.length === 0 && !(begun instanceof Promise)) {
      take(begun);
      continue;
    }
    // One that fails is told when its turn comes.
    if (begun instanceof Promise) begun.catch(() => undefined);
    waiting.push(begun);
    if (waiting.length >= most) take(await (waiting.shift() as Out | Promise<Out>));
  }
  for (const begun of waiting) take(await begun);
}
