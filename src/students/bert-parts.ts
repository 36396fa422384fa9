import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { BackboneFeatures, Features } from '../targets/features.ts';
import { paddingBias } from './attention.ts';
import type { TextInputs } from './backbone.ts';
import { layerNorm, linear } from './layers.ts';
import type { ParameterMaker } from './parameters.ts';
import { tokenInputs } from './token-inputs.ts';
import { firstToken, positionsInText } from './token-positions.ts';

/** Added to the variance in every normalisation. */
export const EPSILON = 1e-12;
/** Of every weight at the start (appendix A.2 of BERT's paper: truncated normal; here normal). */
export const DEVIATION = 0.02;

export interface EmbeddedTokens {
  /** float32 [B, T, width], named `embeddings/output`. */
  readonly hidden: TypedValue;
  /** int64 [B, T] */
  readonly attentionMask: TypedValue;
  /** Hides padding: [B, 1, 1, T], added to scores of attention. */
  readonly bias: TypedValue;
}

/**
 * Where BERT and its kin begin: the sum of a vector for each token, one for its position and, of pairs, one for its text,
 * normalised. Declares the inputs `input_ids` and `attention_mask`, and `token_type_ids` of pairs, int64 [batch, sequence].
 */
export function embeddedTokens(
  g: GraphBuilder,
  make: ParameterMaker,
  width: number,
  { vocabularySize, maxLength, pairs = false }: TextInputs,
): EmbeddedTokens {
  const { ids, attentionMask } = tokenInputs(g);
  const bias = paddingBias(g, attentionMask);
  const table = (name: string, rows: number) => make.normal(`${name}/weight`, [rows, width], DEVIATION);
  const hidden = g.scope('embeddings', () => {
    const tokens = g.gather(table('word_embeddings', vocabularySize), ids);
    const positions = g.gather(table('position_embeddings', maxLength), positionsInText(g, attentionMask));
    let sum = g.add(positions, tokens);
    if (pairs) {
      const types = g.input('token_type_ids', 'int64', ['batch', 'sequence']);
      sum = g.add(sum, g.gather(table('token_type_embeddings', 2), types));
    }
    return g.identity(layerNorm(g, make, 'LayerNorm', sum, width, EPSILON), 'output');
  });
  return { hidden, attentionMask, bias };
}

/**
 * Features of an encoder whose first token answers.
 *
 * @param last what its last layer gives, float32 [B, T, width]
 * @param pool what is made of the first token, [B, width], before a head
 */
export function encoderFeatures(
  g: GraphBuilder,
  make: ParameterMaker,
  { last, attentionMask, width }: { last: TypedValue; attentionMask: TypedValue; width: number },
  pool: (first: TypedValue) => TypedValue,
): BackboneFeatures {
  const over = (value: TypedValue): Features => ({
    width,
    value,
    project: (scope, outputs) => linear(g, make, scope, value, [width, outputs], DEVIATION),
  });
  return {
    pooled: () => over(pool(firstToken(g, last, attentionMask))),
    tokens: () => over(last),
  };
}
