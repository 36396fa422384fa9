import { expect, test } from 'vitest';
import { compressionLines } from '../../compression.ts';
import { trainResultSchema } from '../../result.ts';
import { compressionSection } from './compression.ts';

const compression = [
  {
    kind: 'prune',
    title: 'structured pruning',
    phases: ['after' as const],
    summary: '8 of 16 channels <b>left</b>',
    before: { parameters: 20_000, multiplications: 3e6, validation: { accuracy: 0.9 } },
    after: { parameters: 5000, validation: { accuracy: 0.88 } },
    rounds: [{ name: '50 % left', parameters: 5000, cut: { accuracy: 0.4 }, validation: { accuracy: 0.88 } }],
  },
];
const metrics = trainResultSchema.shape.metrics.parse(undefined);
const page = (given?: typeof compression) =>
  compressionSection({ result: { metrics, compression: given } as never })?.markup;

test('the report tells each round, before anything was trained again and after, and escapes what it is told', () => {
  const text = page(compression)?.replaceAll('\u202f', ' ');
  expect(text).toContain('90.0 %');
  expect(text).toContain('40.0 %');
  expect(text).toContain('88.0 %');
  expect(text).toContain('8 of 16 channels &lt;b&gt;left');
  expect(page()).toBeUndefined();
  expect(compressionLines(compression)[0]?.replaceAll('\u202f', ' ')).toBe(
    'structured pruning, after training: 8 of 16 channels <b>left</b> (20.0 k to 5.0 k parameters)',
  );
});
