import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { defaultThreads, sharedThreads } from './thread-count.ts';

describe('defaultThreads', () => {
  it('is what LIMBECK_THREADS says, or the cores', () => {
    expect(defaultThreads({ LIMBECK_THREADS: '3' })).toBe(3);
    expect(defaultThreads({ LIMBECK_THREADS: '' })).toBe(availableParallelism());
    expect(defaultThreads({})).toBe(availableParallelism());
  });

  it.each(['0', '-1', '1.5', 'two', '1e3', '99999'])('refuses %s', (asked) => {
    expect(() => defaultThreads({ LIMBECK_THREADS: asked })).toThrow(
      expect.objectContaining({ code: 'engine.threads' }),
    );
  });
});

it('shares threads among runs: one each while they are few', () => {
  expect(sharedThreads(1)).toEqual({ runsAtOnce: 1, threads: 1 });
  expect(sharedThreads(2)).toEqual({ runsAtOnce: 2, threads: 1 });
  expect(sharedThreads(16)).toEqual({ runsAtOnce: 4, threads: 4 });
});
