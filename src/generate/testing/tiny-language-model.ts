import { quantizeDynamic } from '../../compress/quantize-dynamic.ts';
import { writeLanguageModel } from '../../export/language-model.ts';
import type { DecoderArchitecture } from '../../export/language-model-config.ts';
import type { Graph } from '../../onnx/graph.ts';
import { type RandomStream, randomStream } from '../../random.ts';
import { buildGpt2 } from '../../students/gpt2.ts';
import { buildLlama } from '../../students/llama.ts';
import { byteTokenizer } from './byte-tokenizer.ts';

export const TINY_LENGTH = 48;

const BUILDERS: Readonly<
  Record<
    DecoderArchitecture,
    (context: { vocabularySize: number; maxLength: number; random: RandomStream }) => {
      readonly graph: Graph;
    }
  >
> = {
  gpt2: (context) => buildGpt2({ width: 16, heads: 2, layers: 2 }, context),
  llama: (context) => buildLlama({ width: 16, heads: 4, keyHeads: 2, layers: 2 }, context),
};

/**
 * Writes the folder of a language model that was never trained, whose texts are the same every time, in float32 and int8.
 *
 * @returns the decoder without a cache
 */
export function writeTinyLanguageModel(
  folder: string,
  architecture: DecoderArchitecture = 'gpt2',
  maxLength = TINY_LENGTH,
): Graph {
  const tokenizer = byteTokenizer();
  const { vocabularySize, padId } = tokenizer;
  const random = randomStream(1, architecture);
  const model = louder(BUILDERS[architecture]({ vocabularySize, maxLength, random }).graph);
  writeLanguageModel(folder, {
    ...{ model, quantized: quantizeDynamic(model), architecture, vocabularySize, maxLength },
    ...{ beginId: undefined, endIds: tokenizer.endOfText, padTokenId: padId },
    tokenizerFiles: tokenizer.toPromptFiles(maxLength),
  });
  return model;
}

/**
 * With matrices of layers that are larger than at the start of a training: what is read then makes a difference. The tokens' table is
 * tied to the logits: with a larger one, every token would be followed by itself.
 */
function louder(graph: Graph): Graph {
  const initializers = [...graph.initializers].map(([value, content]) => {
    const isLayer =
      content.type === 'float32' && content.dims.length === 2 && /^(h|layers)\./.test(value.name);
    if (!isLayer) return [value, content] as const;
    return [
      value,
      { ...content, data: (content.data as Float32Array).map((weight) => 20 * weight) },
    ] as const;
  });
  return { ...graph, initializers: new Map(initializers) };
}
