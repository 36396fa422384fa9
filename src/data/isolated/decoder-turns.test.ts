import { expect, it } from 'vitest';
import { DECODERS_AT_ONCE, inTurn } from './decoder-turns.ts';

it('lets no more than so many work at once, and goes on after one that failed', async () => {
  let [working, most] = [0, 0];
  const work = async (fails: boolean) => {
    most = Math.max(most, ++working);
    await new Promise((resolve) => setTimeout(resolve, 2));
    working--;
    if (fails) throw new Error('damaged');
    return 'heard';
  };
  const all = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => inTurn(() => work(i % 3 === 0))));
  expect(most).toBe(DECODERS_AT_ONCE);
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(13);
  expect(await inTurn(() => work(false))).toBe('heard');
});
