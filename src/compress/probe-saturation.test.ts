import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { float32 } from '../onnx/tensor.ts';
import { saturatesInt8 } from './probe-saturation.ts';

describe('saturatesInt8', () => {
  it('never is so with seven bits, whatever the machine', async () => {
    expect(await saturatesInt8(createNodeEngine({ threads: 1 }), 63)).toBe(false);
  });

  it('is true where sums come out too small, and false where they are exact', async () => {
    const answering = (sum: number) => ({
      load: async () => ({
        inputNames: ['x'],
        outputNames: ['y'],
        run: async () => ({ y: float32(new Float32Array(256).fill(sum), [8, 32]) }),
        release: async () => {},
      }),
    });
    expect(await saturatesInt8(answering(64 * 32_767))).toBe(true);
    expect(await saturatesInt8(answering(64 * 255 * 127))).toBe(false);
  });
});
