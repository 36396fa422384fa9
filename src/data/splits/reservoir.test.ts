import { expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import { Reservoir } from './reservoir.ts';

it('keeps all of a short stream', () => {
  const reservoir = new Reservoir<number>(5, randomStream(1, 'short'));
  for (let i = 0; i < 3; i++) reservoir.offer(i);
  expect(reservoir.kept).toEqual([0, 1, 2]);
});

it('keeps every element of a long stream with the same probability', () => {
  const [capacity, length, streams] = [10, 40, 4000];
  const counts = new Array(length).fill(0);
  for (let stream = 0; stream < streams; stream++) {
    const reservoir = new Reservoir<number>(capacity, randomStream(stream, 'long'));
    for (let i = 0; i < length; i++) reservoir.offer(i);
    expect(new Set(reservoir.kept).size).toBe(capacity);
    for (const element of reservoir.kept) counts[element]++;
  }
  // A quarter of the streams; the deviation of such a count is sqrt(4000 / 4 * 3 / 4) = 27.4.
  const deviation = Math.sqrt((streams * 3) / 16);
  for (const count of counts) expect(Math.abs(count - streams / 4)).toBeLessThan(4.5 * deviation);
});
