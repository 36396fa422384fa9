/**
 * Times a training step with each loss beside `kd` against one with `kd` alone, and tells what a loss keeps of the teacher
 * (docs/objectives.md has a run):
 *
 *     npx tsx scripts/measure-objectives.ts [image|text] [--only NAME,...] [--steps 24] [--profile NAME]
 *
 * Teachers are untrained, and what they said is random: neither matters to the time. Both steps run in turns, and the
 * ratio is that of the lower quartiles: of the process's time on all cores, which other programs hardly change, and of
 * the time that passes, for a quiet machine. With --profile ONNX Runtime writes
 * a profile of that loss's step (NAME_*.json) into the present folder.
 */
import { prepareForGradients } from '../src/autodiff/prepare.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { LimbeckError } from '../src/errors.ts';
import { allObjectives } from '../src/objectives/index.ts';
import { kdTerm } from '../src/objectives/kd-logits.ts';
import type { ObjectiveContext, ObjectiveKind, ObjectiveTerm } from '../src/objectives/objective.ts';
import { describeModel } from '../src/onnx/anatomy/describe-model.ts';
import { matchingLayers } from '../src/onnx/anatomy/matching-layers.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import { elementCount, float32, int64, type Tensor, tensor } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { mobilenetV3 } from '../src/students/mobilenet-v3.ts';
import { resnet } from '../src/students/resnet.ts';
import type { Student } from '../src/students/student.ts';
import { textAttention } from '../src/students/text-attention.ts';
import { adamw } from '../src/train/adamw.ts';
import { type CompiledStep, compileStep } from '../src/train/compile-step.ts';
import type { TensorSpec } from '../src/train/step-graph.ts';
import { SwapBuffers } from '../src/train/swap-buffers.ts';
import { scriptArguments } from './script-arguments.ts';

interface Pair {
  readonly title: string;
  readonly student: Student;
  readonly teacher: Student;
  readonly sizes: Readonly<Record<string, number>>;
  readonly classes: number;
}

/** Milliseconds: on all cores together, and by the clock. */
interface StepTime {
  readonly cores: number;
  readonly clock: number;
}

interface Timed {
  readonly compiled: CompiledStep;
  /** Makes a step. */
  run(): Promise<StepTime>;
  release(): Promise<void>;
}

const BATCH = 128;
const VOCABULARY = 8000;
/** Other options than the defaults that cost something else. */
const VARIANTS: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  attention: [{ heads: 'each' }],
  valueRelations: [{ relationHeads: 1 }],
  hidden: [{ distance: 'cosine' }, { normalize: false }],
  features: [{ stages: 'all' }],
};

const { values, positionals } = scriptArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    steps: { type: 'string', default: '24' },
    profile: { type: 'string' },
  },
});
const engine = createNodeEngine();
const pairs: Readonly<Record<string, () => Pair>> = { image: imagePair, text: textPair };
for (const name of positionals.length > 0 ? positionals : Object.keys(pairs)) await measure(pairs[name]!());

function imagePair(): Pair {
  const picture = { channels: 1, height: 28, width: 28, classes: 10 };
  return {
    title: 'MobileNetV3 tiny, width 0.5, of a ResNet of width 24 with 2 blocks a stage; 128 x 1x28x28',
    student: buildClassifier(
      mobilenetV3,
      { size: 'tiny', width: 0.5, momentum: 0.99 },
      { ...picture, random: randomStream(1, 'student') },
    ),
    teacher: buildClassifier(
      resnet,
      { width: 24, stages: 3, blocks: 2, bottleneck: false, zeroInit: false },
      { ...picture, random: randomStream(1, 'teacher') },
    ),
    sizes: { batch: BATCH },
    classes: 10,
  };
}

/** The teacher has the layers of the Universal Sentence Encoder lite. */
function textPair(): Pair {
  const texts = { vocabularySize: VOCABULARY, classes: 26, maxLength: 64 };
  return {
    title:
      'text-attention (width 64, 4 heads, 1 layer) of a transformer of width 512, 4 heads, 2 layers; 128 x 16',
    student: buildClassifier(textAttention, textAttention.options.parse({}), {
      ...texts,
      random: randomStream(1, 'student'),
    }),
    teacher: buildClassifier(
      textAttention,
      { width: 512, heads: 4, layers: 2, feedForward: 512 },
      { ...texts, random: randomStream(1, 'teacher') },
    ),
    sizes: { batch: BATCH, sequence: 16 },
    classes: 26,
  };
}

async function measure(pair: Pair): Promise<void> {
  const context = contextOf(pair);
  const kd = kdTerm({ weight: 1, temperature: 4 });
  const base = await load(pair, [kd]);
  const warm: StepTime[] = [];
  for (let i = 0; i < 8; i++) warm.push(await base.run());
  const alone = lowerQuartile(warm, 'clock');
  console.log(`\n${pair.title}: ${base.compiled.graph.nodes.length} nodes, ${alone.toFixed(1)} ms with kd\n`);
  console.log(
    '| objective | options | time on all cores | by the clock | kept, bytes a sample | nodes |\n|---|---|---|---|---|---|',
  );
  const kinds = allObjectives();
  for (const kind of kinds) {
    if (kind.kind === 'kd' || !(values.only?.split(',').includes(kind.kind) ?? true)) continue;
    for (const options of [{}, ...(VARIANTS[kind.kind] ?? [])]) await row(kind, options);
  }
  await base.release();

  async function row(kind: ObjectiveKind, options: Record<string, unknown>): Promise<void> {
    const { success, data: parsed } = kind.options.safeParse({ weight: 1, ...options });
    // A loss about outputs that these models do not have.
    if (!success || kind.applies?.(context) === false) return;
    let step: Timed;
    try {
      kind.knowledge?.(parsed, context);
      const term: ObjectiveTerm = kind.term(parsed, context);
      step = await load(pair, [kd, term], values.profile === kind.kind ? kind.kind : undefined);
    } catch (error) {
      // A loss over images for texts, or the other way round.
      if (error instanceof LimbeckError) return;
      throw error;
    }
    for (let i = 0; i < 3; i++) await step.run();
    const times = { base: [] as StepTime[], step: [] as StepTime[] };
    for (let i = 0; i < Number(values.steps); i++) {
      times.base.push(await base.run());
      times.step.push(await step.run());
    }
    const ratio = (of: keyof StepTime) =>
      (lowerQuartile(times.step, of) / lowerQuartile(times.base, of)).toFixed(2);
    const bytes = keptBytes(step.compiled.batchInputs);
    const told = Object.entries(options).map(([key, value]) => `${key}: ${value}`);
    console.log(
      `| \`${kind.kind}\` | ${told.join(', ')} | ${ratio('cores')} | ${ratio('clock')} | ${bytes || ''} | ${step.compiled.graph.nodes.length} |`,
    );
    await step.release();
  }
}

function lowerQuartile(times: readonly StepTime[], of: keyof StepTime): number {
  const sorted = times.map((time) => time[of]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)]!;
}

function contextOf({ student, teacher, classes }: Pair): ObjectiveContext {
  const graph = toEvaluationForm(teacher.graph);
  const own = describeModel(toEvaluationForm(student.graph));
  const other = describeModel(prepareForGradients(graph));
  return {
    classes,
    teacherGraph: graph,
    models: { student: own, teacher: other, layers: matchingLayers(own, other) },
  };
}

/** Bytes in float16 of what is kept of the teacher for a sample, besides its logits. */
function keptBytes(inputs: readonly TensorSpec[]): number {
  return inputs
    .filter(({ name }) => name.startsWith('knowledge/') && name !== 'knowledge/logits')
    .reduce((sum, { dims }) => sum + 2 * elementCount(dims.slice(1)), 0);
}

async function load(pair: Pair, terms: readonly ObjectiveTerm[], profile?: string): Promise<Timed> {
  const { student, sizes } = pair;
  const compiled = compileStep({
    student,
    sizes,
    terms,
    optimizer: adamw({ weightDecay: 0.01 }),
    maxGradNorm: 5,
  });
  const session = await engine.load(writeModel(compiled.graph), {
    spinning: false,
    memoryPattern: false,
    largeFetches: true,
    ...(profile === undefined ? {} : { profile }),
  });
  const buffers = new SwapBuffers(compiled.carried);
  const batch = Object.fromEntries(compiled.batchInputs.map((spec) => [spec.name, contentOf(spec, pair)]));
  let step = 0;
  return {
    compiled,
    async run() {
      const scalars = { learning_rate: float32([1e-4], []), step: float32([++step], []) };
      const [start, used] = [performance.now(), process.cpuUsage()];
      await session.run({ ...buffers.feeds, ...batch, ...scalars }, { ...buffers.fetches, loss: null });
      const { user, system } = process.cpuUsage(used);
      const clock = performance.now() - start;
      buffers.swap();
      return { cores: (user + system) / 1000, clock };
    },
    release: () => session.release(),
  };
}

function contentOf({ name, type, dims }: TensorSpec, { classes }: Pair): Tensor {
  const random = randomStream(2, name);
  const draw: Record<string, () => number> = {
    input_ids: () => random.integer(VOCABULARY),
    labels: () => random.integer(classes),
    pixel_values: () => random.normal(),
    attention_mask: () => 1,
    row_weights: () => 1,
  };
  // Between 0 and 1: what is kept may be a distribution.
  const numbers = Array.from({ length: elementCount(dims) }, draw[name] ?? (() => random.uniform()));
  if (type === 'int64') return int64(numbers, dims);
  return type === 'int32' ? tensor(type, dims, Int32Array.from(numbers)) : float32(numbers, dims);
}
