import { createNodeEngine } from '../../engine/node.ts';
import type { ModelAnatomy, ModelLayer } from '../../onnx/anatomy/anatomy.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import { uniformLayers } from '../../onnx/anatomy/layer-map.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import { float32, int64, type Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { randomStream } from '../../random.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { mobilenetV3 } from '../../students/mobilenet-v3.ts';
import { resnet } from '../../students/resnet.ts';
import type { Student } from '../../students/student.ts';
import { textAttention } from '../../students/text-attention.ts';
import { wav2vec2 } from '../../students/wav2vec2.ts';
import { tapTeacher } from '../../teachers/tap-teacher.ts';
import { adamw } from '../../train/adamw.ts';
import { compileStep } from '../../train/compile-step.ts';
import { SwapBuffers } from '../../train/swap-buffers.ts';
import type { ObjectiveContext } from '../objective.ts';
import { objectiveNamed } from './layer-fixture.ts';

/** A small student and a larger teacher that has learnt nothing, and one batch for both. */
interface Pair {
  readonly student: Student;
  readonly teacher: Student;
  readonly sizes: Readonly<Record<string, number>>;
  readonly context: ObjectiveContext;
  readonly batch: Readonly<Record<string, Tensor>>;
}

const PAIRS = { text: textPair, image: imagePair, audio: audioPair };
export type Family = keyof typeof PAIRS;

const CLASSES = 3;
const ROWS = 8;

/**
 * Trains a small student with one loss alone, towards a teacher that is wider, deeper and has more heads, for `steps`
 * steps on one batch whose last row does not count; the loss before each step.
 */
export async function trainObjective(
  name: string,
  family: Family,
  { steps = 12, options = {} }: { steps?: number; options?: Readonly<Record<string, unknown>> } = {},
): Promise<number[]> {
  const { student, teacher, sizes, context, batch } = PAIRS[family]();
  const kind = objectiveNamed(name);
  const parsed = kind.options.parse({ weight: 1, ...options });
  const engine = createNodeEngine({ threads: 1 });

  const tapped = tapTeacher(toEvaluationForm(teacher.graph), [
    { tap: 'logits', build: (_, graph) => graph.value('logits') },
    ...(kind.knowledge?.(parsed, context) ?? []),
  ]);
  const asked = await engine.load(writeModel(tapped.graph));
  const knowledge = Object.entries(await asked.run(batch)).map(([tap, value]) => [`knowledge/${tap}`, value]);
  await asked.release();

  const step = compileStep({
    student,
    sizes,
    terms: [kind.term(parsed, context)],
    optimizer: adamw(),
  });
  const session = await engine.load(writeModel(step.graph));
  const buffers = new SwapBuffers(step.carried);
  const feeds = {
    ...batch,
    ...Object.fromEntries(knowledge),
    row_weights: float32([...new Array<number>(ROWS - 1).fill(1), 0]),
  };
  const losses: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const scalars = { learning_rate: float32([0.01], []), step: float32([i], []) };
    const given = { ...buffers.feeds, ...feeds, ...scalars };
    const named = Object.fromEntries(session.inputNames.map((input) => [input, given[input as 'step']]));
    const { loss } = await session.run(named, { ...buffers.fetches, loss: null });
    losses.push(Number(loss?.data[0]));
    buffers.swap();
  }
  await session.release();
  return losses;
}

function textPair(): Pair {
  const vocabulary = { vocabularySize: 40, classes: CLASSES, maxLength: 8 };
  const build = (layers: number, width: number, heads: number) =>
    buildClassifier(
      textAttention,
      { layers, width, heads, feedForward: 2 * width },
      { ...vocabulary, random: randomStream(layers, 'pair') },
    );
  const [student, teacher, tokens] = [build(2, 12, 2), build(4, 32, 4), 6];
  const random = randomStream(1, 'tokens');
  const lengths = Array.from({ length: ROWS }, () => 2 + random.integer(tokens - 1));
  const ids = lengths.flatMap((length) =>
    Array.from({ length: tokens }, (_, i) => (i < length ? 1 + random.integer(39) : 0)),
  );
  const mask = lengths.flatMap((length) => Array.from({ length: tokens }, (_, i) => (i < length ? 1 : 0)));
  return {
    student,
    teacher,
    sizes: { batch: ROWS, sequence: tokens },
    context: contextOf(transformer(2, 12, 2), transformer(4, 32, 4), 'Gather_0'),
    batch: {
      input_ids: int64(ids, [ROWS, tokens]),
      attention_mask: int64(mask, [ROWS, tokens]),
    },
  };
}

/** What `textAttention` is made of. */
function transformer(layers: number, width: number, heads: number): ModelLayer[] {
  return Array.from({ length: layers }, (_, layer) => ({
    name: `layer_${layer}`,
    hidden: { name: `layer_${layer}/output`, width },
    attention: {
      probabilities: `layer_${layer}/attention/probabilities`,
      values: `layer_${layer}/attention/Transpose_2`,
      heads,
    },
  }));
}

function imagePair(): Pair {
  const size = 14;
  const picture = { channels: 1, height: size, width: size, classes: CLASSES };
  const student = buildClassifier(
    mobilenetV3,
    { size: 'tiny', width: 0.25, momentum: 0.99 },
    { ...picture, random: randomStream(1, 'pair') },
  );
  const teacher = buildClassifier(
    resnet,
    { width: 10, stages: 3, blocks: 1, bottleneck: false, zeroInit: false },
    { ...picture, random: randomStream(2, 'pair') },
  );
  const random = randomStream(3, 'pixels');
  const pixels = Array.from({ length: ROWS * size * size }, () => random.normal());
  return {
    student,
    teacher,
    sizes: { batch: ROWS },
    context: contextOf(
      [picturesOf('stem', 8, 14), picturesOf('stage_1', 8, 7), picturesOf('stage_2', 16, 4)],
      [picturesOf('stage_1', 10, 14), picturesOf('stage_2', 20, 7), picturesOf('stage_3', 40, 4)],
      'pixel_values',
    ),
    batch: { pixel_values: float32(pixels, [ROWS, 1, size, size]) },
  };
}

function audioPair(): Pair {
  const samples = 400;
  const build = (layers: number, width: number, heads: number) =>
    buildClassifier(
      wav2vec2,
      wav2vec2.options.parse({
        ...{ layers, width, heads, feedForward: 2 * width, channels: 8, projection: 8 },
        ...{ kernels: [10, 8], strides: [5, 8], positions: 4, positionGroups: 2 },
      }),
      { samplingRate: 8000, samples, classes: CLASSES, random: randomStream(layers, 'pair') },
    );
  const [student, teacher] = [build(2, 12, 2), build(4, 32, 4)];
  const random = randomStream(4, 'waveforms');
  const waveforms = Array.from({ length: ROWS * samples }, () => random.normal());
  return {
    student,
    teacher,
    sizes: { batch: ROWS },
    context: contextOf(
      describeModel(student.graph).layers,
      describeModel(teacher.graph).layers,
      'input_values',
    ),
    batch: { input_values: float32(waveforms, [ROWS, samples]) },
  };
}

function picturesOf(stage: string, channels: number, size: number): ModelLayer {
  const features = { name: `${stage}/output`, channels, height: size, width: size, endsStage: true };
  return { name: stage, features };
}

/** @param features the name of the pixels or of the tokens' embeddings in both models */
function contextOf(
  student: readonly ModelLayer[],
  teacher: readonly ModelLayer[],
  features: string,
): ObjectiveContext {
  const anatomy = (layers: readonly ModelLayer[]): ModelAnatomy => ({ family: 'other', layers, features });
  return {
    classes: CLASSES,
    models: {
      student: anatomy(student),
      teacher: anatomy(teacher),
      layers: uniformLayers(student.length, teacher.length),
    },
  };
}
