import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { TextInputs } from './backbone.ts';
import type { DecoderFeatures } from './decoder-features.ts';
import type { GivenDecoder } from './decoder-parts.ts';
import { gpt2Body } from './gpt2.ts';
import { llamaBody } from './llama.ts';
import type { ParameterMaker } from './parameters.ts';

/**
 * The body of a given decoder: tables have the rows of the recipe's vocabulary, positions those of its texts. It is built as a
 * student of its kind, so it keeps keys and values, is measured and ships as one.
 */
export function givenDecoder(
  g: GraphBuilder,
  make: ParameterMaker,
  { kind, sizes, weights }: GivenDecoder,
  inputs: TextInputs,
): DecoderFeatures {
  const rows: Readonly<Record<string, number>> = {
    'wte/weight': inputs.vocabularySize,
    'embed_tokens/weight': inputs.vocabularySize,
    'lm_head/weight': inputs.vocabularySize,
    'wpe/weight': inputs.maxLength,
  };
  make.inherit(
    new Map([...weights].map(([name, content]) => [name, firstRows(content, rows[name])] as const)),
  );
  return kind === 'gpt2' ? gpt2Body(g, make, sizes, inputs) : llamaBody(g, make, sizes, inputs);
}

/** Tables of exporters have rows that no token has, and more positions than texts have tokens. */
function firstRows(content: Tensor, rows: number | undefined): Tensor {
  const [all, ...rest] = content.dims as [number, ...number[]];
  if (rows === undefined || rows >= all) return content;
  const length = content.data.length / all;
  return { ...content, dims: [rows, ...rest], data: content.data.slice(0, rows * length) } as Tensor;
}
