import { z } from 'zod';
import { defineBackbone } from './backbone.ts';

const options = z.object({});

/** Nothing but pixels, under linear layers that begin at zero: the peer that image students are compared with. */
export const pixelsLinear = defineBackbone({
  kind: 'pixels-linear',
  options,
  accepts: ['image'],
  build(g, make, _options, { channels, height, width }) {
    const pixels = g.input('pixel_values', 'float32', ['batch', channels, height, width]);
    const count = channels * height * width;
    const flat = g.reshape(pixels, [-1, count]);
    let heads = 0;
    const linear = (outputs: number) => {
      const weight = make.constant('weight', [count, outputs], 0);
      return g.gemm(flat, weight, make.constant('bias', [outputs], 0));
    };
    return {
      pooled: () => ({
        width: count,
        value: flat,
        project: (scope, outputs) =>
          heads++ === 0 ? linear(outputs) : g.scope(scope, () => linear(outputs)),
      }),
    };
  },
});
