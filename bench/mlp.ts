import { labelsTerm } from '../src/objectives/cross-entropy.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { ParameterMaker } from '../src/students/parameters.ts';
import type { BenchModel } from './models.ts';

/** What every library of JavaScript can train: an MLP with ReLU between its layers. */
export const MLP = { batch: 256, widths: [784, 512, 512, 10] } as const;

export const mlpModel: BenchModel = {
  title: `MLP ${MLP.widths.join('-')}, ${MLP.batch} rows`,
  goal: 0.2,
  sizes: { batch: MLP.batch },
  term: labelsTerm({ weight: 1 }),
  vocabulary: 0,
  classes: 10,
  build(random) {
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, random);
    const [inputs, ...outputs] = MLP.widths;
    let x = g.input('pixel_values', 'float32', ['batch', inputs]);
    let width: number = inputs;
    outputs.forEach((size, i) => {
      const weight = make.he(`layer_${i}/weight`, width, size);
      const y = g.gemm(x, weight, make.constant(`layer_${i}/bias`, [size], 0));
      x = i < outputs.length - 1 ? g.relu(y) : y;
      width = size;
    });
    g.output(x, 'logits');
    return make.finish(g.build('mlp'));
  },
};
