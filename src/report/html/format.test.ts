import { describe, expect, it } from 'vitest';
import { bytes, compact, percent, points, quantity, seconds, shorten, thousands, times } from './format.ts';
import { logTicks, ticks } from './scale.ts';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('numbers as people read them', () => {
  it.each([
    [percent(0.96449), '96.4 %'],
    [percent(0.5, 0), '50 %'],
    [points(0.0312), '+3.1'],
    [points(-0.0024, 2), '\u22120.24'],
    [points(-0.0001), '0.0'],
    [bytes(0), '0 bytes'],
    [bytes(631_440), '631 kB'],
    [bytes(2_441_812), '2.4 MB'],
    [bytes(999_700), '1 MB'],
    [quantity(606_106), '606 k'],
    [quantity(7_031_834), '7.0 M'],
    [quantity(12), '12'],
    [seconds(0.42), '0.4 s'],
    [seconds(59.7), '1 min 00 s'],
    [seconds(185), '3 min 05 s'],
    [seconds(3725), '1 h 02 min'],
    [times(24.31), '24 times'],
    [times(2.44), '2.4 times'],
    [compact(0.0712), '0.0712'],
    [compact(0), '0'],
    [compact(26_450), '26,450'],
    [thousands(20_000), '20 k'],
    [shorten('communication', 5), 'comm…'],
    [shorten('act', 5), 'act'],
    // Such letters take the place of two.
    [shorten('机器学习', 5), '机器…'],
    [shorten('机器', 4), '机器'],
  ])('%s', (shown, expected) => {
    expect(plain(shown)).toBe(expected);
  });
});

describe('ticks', () => {
  it('are round and inside', () => {
    expect(ticks(0, 0.64, 4)).toEqual([0, 0.2, 0.4, 0.6]);
    expect(ticks(0.13, 0.29, 4)).toEqual([0.15, 0.2, 0.25]);
    expect(ticks(3, 3, 4)).toEqual([3]);
  });

  it('are decades where there are enough of them', () => {
    expect(logTicks(0.005, 3)).toEqual([0.01, 0.1, 1]);
    expect(logTicks(400, 6000)).toEqual([500, 1000, 2000, 5000]);
  });
});
