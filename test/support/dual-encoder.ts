import { image } from '../../src/data/modalities/image/image.ts';
import { useLiteTokenizer } from '../../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { writeDualEncoder } from '../../src/export/dual-encoder.ts';
import { toEvaluationForm } from '../../src/onnx/passes/to-evaluation-form.ts';
import { randomStream } from '../../src/random.ts';
import { buildStudent } from '../../src/students/build-student.ts';
import { dualEncoder } from '../../src/students/dual-encoder.ts';
import { openHead } from '../../src/targets/index.ts';
import { pairs } from '../../src/targets/pairs.ts';
import type { AnyTarget } from '../../src/targets/target.ts';

const MAX_LENGTH = 16;

/** A dual encoder that learnt nothing, as a run leaves it: images of 32x32, the tokenizer of the sentence encoder. */
export async function writeUntrainedDualEncoder(folder: string, width: number, seed = 1) {
  const tokenizer = await useLiteTokenizer();
  const processor = await image.open(
    image.options.parse({ size: 32, normalization: { mean: [0.5, 0.5, 0.5], deviation: [0.3, 0.3, 0.3] } }),
    {
      input: 'image',
      fields: ['image'],
      maxLength: MAX_LENGTH,
      buckets: [],
      resolvePath: (path: string) => path,
    },
  );
  const student = buildStudent({
    backbone: dualEncoder,
    options: dualEncoder.options.parse({
      text: { kind: 'text-conv', embedding: 8, width: 8 },
      image: { kind: 'mobilenet-v3', size: 'tiny', width: 0.5 },
    }),
    inputs: {
      text: { vocabularySize: tokenizer.vocabularySize, maxLength: MAX_LENGTH },
      image: { channels: 3, height: 32, width: 32 },
    },
    heads: [
      openHead({
        output: 'pairs',
        target: pairs as unknown as AnyTarget,
        options: { width },
        space: { width: 2 * width },
        labels: 'labels',
      }),
    ],
    random: randomStream(seed, 'student'),
  });
  const model = toEvaluationForm(student.graph);
  writeDualEncoder(folder, {
    model,
    quantized: null,
    architecture: 'dual-encoder',
    width,
    logitScale: 20,
    vocabularySize: tokenizer.vocabularySize,
    padTokenId: tokenizer.padId,
    maxLength: MAX_LENGTH,
    dims: [3, 32, 32],
    files: [
      ...tokenizer.toShippedFiles(MAX_LENGTH),
      ...Object.entries(processor.files()).map(([name, bytes]) => ({ name, bytes })),
    ],
  });
  return { tokenizer, processor, model };
}
