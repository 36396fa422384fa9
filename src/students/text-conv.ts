import { GraphBuilder } from '../onnx/graph-builder.ts';
import { convolutionOptions, pooledConvolution } from './convolution-over-tokens.ts';
import { ParameterMaker } from './parameters.ts';
import type { TextStudentArchitecture } from './student.ts';

const options = convolutionOptions.describe(
  'Embeddings, one convolution over tokens, max and mean pooling (Kim, 2014). Small and very fast.',
);

/**
 * A convolution over token embeddings, pooled by maximum and by mean, then a linear classifier
 * (after Kim, "Convolutional Neural Networks for Sentence Classification", 2014).
 */
export const textConv: TextStudentArchitecture<typeof options> = {
  kind: 'text-conv',
  options,
  build(chosen, { vocabularySize, classes, random }) {
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, random);
    const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
    const attentionMask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
    const pooled = pooledConvolution(g, make, { ids, attentionMask, vocabularySize }, chosen);
    const logits = g.scope('classifier', () => {
      const weight = make.glorot('weight', 2 * chosen.width, classes);
      const bias = make.constant('bias', [classes], 0);
      return g.gemm(g.identity(pooled, 'input'), weight, bias);
    });
    g.output(logits, 'logits');
    return { graph: g.build('text-conv'), parameters: make.names };
  },
};
