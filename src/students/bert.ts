import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { checkHeads, multiHeadAttention, paddingBias } from './attention.ts';
import { layerNorm, linear } from './layers.ts';
import { ParameterMaker } from './parameters.ts';
import type { Student, TextStudentArchitecture, TextStudentContext } from './student.ts';
import { firstToken, positionsInText } from './token-positions.ts';

const EPSILON = 1e-12;
/** Of every weight at the start (appendix A.2 of the paper's code: truncated normal; here normal). */
const DEVIATION = 0.02;

const options = z
  .object({
    width: z.int().positive().max(4096).default(256).describe('Width of embeddings and layers.'),
    heads: z.int().positive().max(64).default(4).describe('Attention heads; they divide the width.'),
    layers: z.int().positive().max(48).default(4).describe('Encoder layers.'),
    feedForward: z
      .int()
      .positive()
      .max(16_384)
      .default(1024)
      .describe('Width inside the feed-forward block.'),
  })
  .describe(
    'BERT (Devlin et al., 2019): a transformer encoder whose first token answers. For 4 layers or more.',
  );

export interface BertOptions extends z.output<typeof options> {
  /** Whether texts are pairs: then `token_type_ids` is an input, 0 for the first of both and 1 for the second. */
  readonly pairs?: boolean;
}

/** BERT as a text student: `buildBert` for single texts. */
export const bert: TextStudentArchitecture<typeof options> = { kind: 'bert', options, build: buildBert };

/**
 * BERT (Devlin, Chang, Lee and Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers", 2019): learned
 * positions, normalisation after each block, GELU, a tanh pooler over the first token and a linear classifier.
 * Values are named as the modules of transformers are (`encoder/layer.0/attention/self/query/weight`); weights are
 * [inputs, outputs].
 *
 * Inputs `input_ids`, `attention_mask` and, for pairs, `token_type_ids`, int64 [batch, sequence]; output `logits`,
 * float32 [batch, classes]. Taps: `embeddings/output`, `encoder/layer.N/output` [batch, sequence, width],
 * `encoder/layer.N/attention/self/probabilities` [batch, heads, sequence, sequence], `pooler/output` [batch, width].
 *
 * @throws LimbeckError `recipe.invalid` when the heads do not divide the width
 */
export function buildBert(bertOptions: BertOptions, context: TextStudentContext): Student {
  const { width, heads, layers, feedForward, pairs = false } = bertOptions;
  const { vocabularySize, classes, maxLength, random } = context;
  checkHeads(heads, width);
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const attentionMask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const bias = paddingBias(g, attentionMask);
  const table = (name: string, rows: number) => make.normal(`${name}/weight`, [rows, width], DEVIATION);
  const dense = (name: string, x: TypedValue, inputs = width, outputs = width) =>
    linear(g, make, name, x, [inputs, outputs], DEVIATION);
  const norm = (x: TypedValue) => layerNorm(g, make, 'LayerNorm', x, width, EPSILON);

  let hidden = g.scope('embeddings', () => {
    const tokens = g.gather(table('word_embeddings', vocabularySize), ids);
    const positions = g.gather(table('position_embeddings', maxLength), positionsInText(g, attentionMask));
    let sum = g.add(positions, tokens);
    if (pairs) {
      const types = g.input('token_type_ids', 'int64', ['batch', 'sequence']);
      sum = g.add(sum, g.gather(table('token_type_embeddings', 2), types));
    }
    return g.identity(norm(sum), 'output');
  });
  for (let layer = 0; layer < layers; layer++) {
    hidden = g.scope(`encoder/layer.${layer}`, () => {
      const attended = g.scope('attention', () => {
        const context = g.scope('self', () => {
          const [query, key, value] = ['query', 'key', 'value'].map((name) => dense(name, hidden));
          return multiHeadAttention(g, { query, key, value, heads, width, bias });
        });
        return g.scope('output', () => norm(g.add(dense('dense', context), hidden)));
      });
      const inner = g.op('Gelu', [dense('intermediate/dense', attended, width, feedForward)]);
      const result = g.scope('output', () =>
        norm(g.add(dense('dense', inner, feedForward, width), attended)),
      );
      return g.identity(result, 'output');
    });
  }
  const first = firstToken(g, hidden, attentionMask);
  const pooled = g.scope('pooler', () => g.identity(g.tanh(dense('dense', first)), 'output'));
  g.output(dense('classifier', pooled, width, classes), 'logits');
  return { graph: g.build('bert'), parameters: make.names };
}
