import { expect, it } from 'vitest';
import { percent } from './percent.ts';

it('rounds a percentage as a decimal number, not as its binary form', () => {
  expect(percent(0.578)).toBe('57.8 %');
  expect((66.85).toFixed(1)).toBe('66.8');
  expect(percent(0.6685)).toBe('66.9 %');
  expect(percent(0.99951, 2)).toBe('99.95 %');
  expect(percent(12.5)).toBe('1250.0 %');
});
