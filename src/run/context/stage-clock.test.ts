import { expect, test } from 'vitest';
import type { StageName } from '../../events.ts';
import { StageClock } from './stage-clock.ts';

function clockAt(fails = false) {
  const kept: [StageName, number][] = [];
  const time = { ms: 1000 };
  const clock = new StageClock(
    {
      addSeconds(stage, seconds) {
        kept.push([stage, seconds]);
        if (fails) throw new Error('the disk is full');
      },
    },
    () => time.ms,
  );
  return { clock, kept, time };
}

test('seconds are kept every few seconds, and each once', () => {
  const { clock, kept, time } = clockAt();
  clock.start('train');
  for (let i = 0; i < 120; i++) {
    time.ms += 100;
    clock.tick();
  }
  expect(kept).toEqual([
    ['train', 5],
    ['train', 5],
  ]);
  expect(clock.stop()).toBe(12);
  expect(kept.at(-1)).toEqual(['train', 2]);
  time.ms += 60_000;
  clock.tick();
  expect(kept).toHaveLength(3);
  clock.start('export');
  time.ms += 500;
  clock.keep();
  expect(clock.stop()).toBe(0.5);
  expect(kept.slice(3)).toEqual([
    ['export', 0.5],
    ['export', 0],
  ]);
});

test('seconds that cannot be kept stop no work on the way, and are told at its end', () => {
  const { clock, time } = clockAt(true);
  clock.start('label');
  time.ms += 6000;
  clock.tick();
  expect(() => clock.stop()).toThrow('the disk is full');
  expect(() => clock.stop()).toThrow('no stage');
});
