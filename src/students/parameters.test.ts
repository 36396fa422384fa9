import { expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { randomStream } from '../random.ts';
import { ParameterMaker } from './parameters.ts';

it('draws no parameters that the machine has no memory to train', () => {
  const make = new ParameterMaker(new GraphBuilder(), randomStream(1, 'large'), 16 * 3_000_000);
  make.he('first', 1000, 1000);
  const began = performance.now();
  expect(() => make.normal('second', [1e6, 1e6], 1)).toThrow(
    expect.objectContaining({
      code: 'recipe.invalid',
      where: 'student',
      message: expect.stringMatching(
        /first 1,000,001 million parameters alone take .*the machine has 48\.0 MB$/,
      ),
    }),
  );
  expect(performance.now() - began).toBeLessThan(1000);
  expect(make.names).toEqual(['first']);
});
