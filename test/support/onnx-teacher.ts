import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { useLiteTokenizer } from '../../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { ModelProtoSchema } from '../../src/onnx/schema/onnx.gen.ts';
import { float32 } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { randomStream } from '../../src/random.ts';
import { maskColumn, maskedMean } from '../../src/students/masked-pooling.ts';

/** The tokenizer.json of the sentence encoder: 8,000 pieces. */
export async function tokenizerJson(): Promise<Buffer> {
  const file = (await useLiteTokenizer()).toFiles().find(({ name }) => name === 'tokenizer.json');
  return Buffer.from(file!.bytes);
}

/**
 * A text classifier as somebody might bring it: a weight for every token and class, averaged over the text. Tokens in
 * `nanTokens` have NaN for a weight.
 */
export function classifierModel({
  vocabulary = 8000,
  classes = 4,
  nanTokens = [],
}: {
  vocabulary?: number;
  classes?: number;
  nanTokens?: readonly number[];
} = {}): Uint8Array {
  const random = randomStream(7, 'onnx-teacher');
  const weights = Float32Array.from({ length: vocabulary * classes }, () => 3 * random.normal());
  for (const token of nanTokens) weights[token * classes] = Number.NaN;
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = maskColumn(g, g.input('attention_mask', 'int64', ['batch', 'sequence']));
  const table = g.initializer('table', float32([...weights], [vocabulary, classes]));
  g.output(g.identity(maskedMean(g, g.mul(g.gather(table, ids), mask), mask)), 'logits');
  return writeModel(g.build('teacher'));
}

/** An encoder as somebody might bring it: random vectors of tokens, averaged, through a layer that is random too. */
export function featureModel({ vocabulary = 8000, width = 48 } = {}): Uint8Array {
  const random = randomStream(11, 'feature-model');
  const normal = (count: number, scale: number) =>
    Float32Array.from({ length: count }, () => scale * random.normal());
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = maskColumn(g, g.input('attention_mask', 'int64', ['batch', 'sequence']));
  const table = g.initializer('table', float32(normal(vocabulary * width, 1), [vocabulary, width]));
  const mean = maskedMean(g, g.mul(g.gather(table, ids), mask), mask);
  const layer = g.initializer('layer', float32(normal(width * 2 * width, width ** -0.5), [width, 2 * width]));
  g.output(g.tanh(g.matMul(mean, layer)), 'sentence_embedding');
  return writeModel(g.build('encoder'));
}

/** The same model, but its first node waits for its last. */
export function withCycle(model: Uint8Array): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const nodes = proto.graph!.node;
  nodes[0]!.input[0] = nodes.at(-1)!.output[0]!;
  return toBinary(ModelProtoSchema, proto);
}
