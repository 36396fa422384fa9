import { expect, test } from 'vitest';
import { slowerInt8 } from './slower-int8.ts';

test('an int8 file that is slower than the float32 one is told of, where it ships', () => {
  const told = (throughput: number, passed = true) =>
    slowerInt8({
      student: { throughput: 1000 },
      studentInt8: { throughput },
      gate: { passed },
      machine: { cpu: 'a processor' },
    } as never);
  expect(told(500)).toContain('2.0 times slower than the float32 one on a processor');
  expect(told(990)).toBeUndefined();
  expect(told(2000)).toBeUndefined();
  expect(told(500, false)).toBeUndefined();
});
