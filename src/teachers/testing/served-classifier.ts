import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { int64, tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';

/**
 * A classifier of ours over texts, for a server that speaks as OpenAI does: its true probabilities, in the order in which a
 * prompt lists the classes.
 *
 * @param file an ONNX file with the inputs `input_ids` and `attention_mask` and the output `logits`
 * @param names its classes in the order of its outputs
 */
export async function servedClassifier(
  file: string,
  names: readonly string[],
  maxLength: number,
): Promise<{
  classify(text: string, classes: readonly string[]): Promise<number[]>;
  release(): Promise<void>;
}> {
  const tokenizer = await useLiteTokenizer();
  const session = await createNodeEngine().load(writeModel(readModelFile(file)));
  return {
    async classify(text, classes) {
      const ids = [...tokenizer.encode(text, maxLength)];
      if (ids.length === 0) ids.push(tokenizer.padId);
      const mask = tensor(
        'int64',
        [1, ids.length],
        BigInt64Array.from(ids, () => 1n),
      );
      const feeds = { input_ids: int64(ids, [1, ids.length]), attention_mask: mask };
      const { logits } = await session.run(feeds, { logits: null });
      const own = Array.from(logits?.data as Float32Array);
      const top = Math.max(...own);
      const sum = own.reduce((total, logit) => total + Math.exp(logit - top), 0);
      return classes.map(
        (name) => Math.exp((own[names.indexOf(name)] ?? Number.NEGATIVE_INFINITY) - top) / sum,
      );
    },
    release: () => session.release(),
  };
}
