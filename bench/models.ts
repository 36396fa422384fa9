import { labelsTerm } from '../src/objectives/cross-entropy.ts';
import { nextTokenTerm } from '../src/objectives/next-token.ts';
import type { ObjectiveTerm } from '../src/objectives/objective.ts';
import { elementCount, float32, int64, type Tensor, tensor } from '../src/onnx/tensor.ts';
import { type RandomStream, randomStream } from '../src/random.ts';
import { bert } from '../src/students/bert.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { buildGpt2 } from '../src/students/gpt2.ts';
import { mobilenetV3 } from '../src/students/mobilenet-v3.ts';
import { resnet } from '../src/students/resnet.ts';
import type { Student } from '../src/students/student.ts';
import type { TensorSpec } from '../src/train/step-graph.ts';

/** A model whose training step is timed; `peers/pytorch.py` has the same one under the same name. */
export interface BenchModel {
  /** For people: what it is, and its batch. */
  readonly title: string;
  /** The ratio of our step's time to PyTorch's that we aim at. */
  readonly goal: number;
  readonly sizes: Readonly<Record<string, number>>;
  readonly term: ObjectiveTerm;
  /** Bounds of the whole numbers in a batch: ids are below `vocabulary`, labels below `classes`. */
  readonly vocabulary: number;
  readonly classes: number;
  build(random: RandomStream): Student;
}

const TEXT_CLASSES = 26;
const IMAGE_CLASSES = 10;
const SEQUENCE = 128;
const labels = labelsTerm({ weight: 1 });

function bertModel(
  title: string,
  batch: number,
  vocabulary: number,
  size: { width: number; heads: number; layers: number },
): BenchModel {
  return {
    title,
    goal: 1.15,
    sizes: { batch, sequence: SEQUENCE },
    term: labels,
    vocabulary,
    classes: TEXT_CLASSES,
    build: (random) =>
      buildClassifier(
        bert,
        { ...size, feedForward: 4 * size.width },
        { vocabularySize: vocabulary, classes: TEXT_CLASSES, maxLength: SEQUENCE, random },
      ),
  };
}

const GPT2_VOCABULARY = 8000;

export const BENCH_MODELS: Readonly<Record<string, BenchModel>> = {
  'bert-small': bertModel('BERT-like, L4 H256 A4, 8k tokens, 32 x 128', 32, 8000, {
    width: 256,
    heads: 4,
    layers: 4,
  }),
  'bert-base': bertModel('BERT-base, L12 H768 A12, 30k tokens, 8 x 128', 8, 30_522, {
    width: 768,
    heads: 12,
    layers: 12,
  }),
  resnet: {
    title: 'ResNet, 3 stages x 3 blocks, width 32, 128 x 1x28x28',
    goal: 1.3,
    sizes: { batch: 128 },
    term: labels,
    vocabulary: 0,
    classes: IMAGE_CLASSES,
    build: (random) =>
      buildClassifier(
        resnet,
        { width: 32, stages: 3, blocks: 3, bottleneck: false, zeroInit: false },
        { channels: 1, height: 28, width: 28, classes: IMAGE_CLASSES, random },
      ),
  },
  'mobilenet-v3': {
    title: 'MobileNetV3-Small, 64 x 3x64x64',
    goal: 1.5,
    sizes: { batch: 64 },
    term: labels,
    vocabulary: 0,
    classes: IMAGE_CLASSES,
    build: (random) =>
      buildClassifier(
        mobilenetV3,
        { size: 'small', width: 1, momentum: 0.99 },
        { channels: 3, height: 64, width: 64, classes: IMAGE_CLASSES, random },
      ),
  },
  'resnet-small': {
    title: 'ResNet, 3 stages x 1 block, width 8 (20k parameters), 128 x 1x28x28',
    goal: 1,
    sizes: { batch: 128 },
    term: labels,
    vocabulary: 0,
    classes: IMAGE_CLASSES,
    build: (random) =>
      buildClassifier(
        resnet,
        { width: 8, stages: 3, blocks: 1, bottleneck: false, zeroInit: false },
        { channels: 1, height: 28, width: 28, classes: IMAGE_CLASSES, random },
      ),
  },
  'mobilenet-tiny': {
    title: 'MobileNetV3 tiny, width 0.5, 128 x 1x28x28',
    goal: 1,
    sizes: { batch: 128 },
    term: labels,
    vocabulary: 0,
    classes: IMAGE_CLASSES,
    build: (random) =>
      buildClassifier(
        mobilenetV3,
        { size: 'tiny', width: 0.5, momentum: 0.99 },
        { channels: 1, height: 28, width: 28, classes: IMAGE_CLASSES, random },
      ),
  },
  gpt2: {
    title: 'GPT-2-like, L4 H256 A4, 8k tokens, 16 x 128',
    goal: 1.15,
    sizes: { batch: 16, sequence: SEQUENCE },
    term: nextTokenTerm({ weight: 1 }),
    vocabulary: GPT2_VOCABULARY,
    classes: 0,
    build: (random) =>
      buildGpt2(
        { width: 256, heads: 4, layers: 4 },
        { vocabularySize: GPT2_VOCABULARY, maxLength: SEQUENCE, random },
      ),
  },
};

/** A made-up batch: random ids, labels and pixels, nothing masked. */
export function benchBatch(model: BenchModel, inputs: readonly TensorSpec[]): Record<string, Tensor> {
  const random = randomStream(2, 'batch');
  const draw: Record<string, () => number> = {
    input_ids: () => random.integer(model.vocabulary),
    labels: () => random.integer(model.classes),
    pixel_values: () => random.normal(),
  };
  const content = ({ name, type, dims }: TensorSpec): Tensor => {
    const numbers = Array.from({ length: elementCount(dims) }, draw[name] ?? (() => 1));
    if (type === 'int64') return int64(numbers, dims);
    return type === 'int32' ? tensor(type, dims, Int32Array.from(numbers)) : float32(numbers, dims);
  };
  return Object.fromEntries(inputs.map((spec) => [spec.name, content(spec)]));
}
