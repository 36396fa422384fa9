import type { Graph, TypedValue } from '../src/onnx/graph.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { foldBatchNorm } from '../src/onnx/passes/fold-batch-norm.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import type { RandomStream } from '../src/random.ts';
import { batchNorm, type ConvolutionSize, convolution } from '../src/students/convolution.ts';
import { pooledFeatures } from '../src/students/linear-features.ts';
import { ParameterMaker } from '../src/students/parameters.ts';
import { pooled } from '../src/students/pooled.ts';

/** Blocks and inner channels of the stages (table 1 of He et al., "Deep Residual Learning for Image Recognition", 2016). */
const STAGES = [
  { blocks: 3, inner: 64 },
  { blocks: 8, inner: 128 },
  { blocks: 36, inner: 256 },
  { blocks: 3, inner: 512 },
];
const EXPANSION = 4;

/**
 * ResNet-152 with drawn weights, for images of 224 pixels, as a teacher: `pixel_values` float32 [batch, 3, 224, 224], `logits`. The
 * student `resnet` is the variant for small images: it has neither this stem nor a number of blocks for each stage.
 */
export function resnet152(classes: number, random: RandomStream): Graph {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  const normalized = (name: string, x: TypedValue, size: ConvolutionSize, gain = 1) =>
    g.scope(name, () => batchNorm(g, make, convolution(g, make, x, size), size.outputs, { gain }));
  const image = g.input('pixel_values', 'float32', ['batch', 3, 224, 224]);
  const stem = g.relu(normalized('stem', image, { inputs: 3, outputs: 64, kernel: 7, stride: 2 }));
  let x = g.op('MaxPool', [stem], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let inputs = 64;
  STAGES.forEach(({ blocks, inner }, stage) => {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = g.scope(`stage_${stage + 1}/block_${block + 1}`, () => bottleneck(x, inputs, inner, stride));
      inputs = inner * EXPANSION;
    }
  });
  g.output(pooledFeatures(g, make, pooled(g, x), inputs).project('classifier', classes), 'logits');
  return foldBatchNorm(toEvaluationForm(make.finish(g.build('resnet-152')).graph));

  function bottleneck(x: TypedValue, inputs: number, inner: number, stride: number): TypedValue {
    const outputs = inner * EXPANSION;
    const first = g.relu(normalized('first', x, { inputs, outputs: inner, kernel: 1 }));
    const second = g.relu(normalized('second', first, { inputs: inner, outputs: inner, kernel: 3, stride }));
    // Fifty branches of gain 1 would make numbers without end of drawn weights.
    const third = normalized('third', second, { inputs: inner, outputs, kernel: 1 }, 0.2);
    const same = inputs === outputs && stride === 1;
    const shortcut = same ? x : normalized('shortcut', x, { inputs, outputs, kernel: 1, stride });
    return g.identity(g.relu(g.add(third, shortcut)), 'output');
  }
}
