import { collectRanges } from '../src/compress/calibrate.ts';
import { type FakeQuantizeOptions, fakeQuantize } from '../src/compress/fake-quantize.ts';
import { quantizationError } from '../src/compress/quantization-error.ts';
import { valuesToCalibrate } from '../src/compress/quantize-static.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { labels } from '../src/objectives/cross-entropy.ts';
import type { ObjectiveTerm } from '../src/objectives/objective.ts';
import { float32, type Tensor, tensor } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { shippedForm } from '../src/run/shipping/shipped-form.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { mobilenetV3 } from '../src/students/mobilenet-v3.ts';
import { resnet } from '../src/students/resnet.ts';
import type { Student } from '../src/students/student.ts';
import { adamw } from '../src/train/adamw.ts';
import { firstContents } from '../src/train/carried.ts';
import { compileStep } from '../src/train/compile-step.ts';
import { scriptArguments } from './script-arguments.ts';

scriptArguments(import.meta.url);

// What a training step costs with fake quantisation: random images of 28 x 28, docs/measurements-int8.md.
// npm run bench:quantised

const BATCH = 128;
const ROUNDS = 12;
const engine = createNodeEngine();
const stream = randomStream(1, 'images');
const images = float32(
  Float32Array.from({ length: BATCH * 784 }, () => 2 * stream.uniform() - 1),
  [BATCH, 1, 28, 28],
);
const size = () => ({ channels: 1, height: 28, width: 28, classes: 10, random: randomStream(2, 'student') });
const residual = (width: number, blocks: number) =>
  buildClassifier(resnet, { width, stages: 3, blocks, bottleneck: false, zeroInit: false }, size());
const students: Record<string, Student> = {
  'mobilenet-v3, tiny, width 0.5': buildClassifier(
    mobilenetV3,
    { size: 'tiny', width: 0.5, momentum: 0.99 },
    size(),
  ),
  'resnet, width 8, 1 block': residual(8, 1),
  'resnet, width 16, 2 blocks': residual(16, 2),
};

/** A step that can be run over and over, on the same contents. */
async function stepOf(student: Student, terms: readonly ObjectiveTerm[]): Promise<() => Promise<unknown>> {
  const { graph, carried } = compileStep({
    student,
    sizes: { batch: BATCH },
    terms,
    optimizer: adamw(),
    maxGradNorm: 5,
  });
  const session = await engine.load(writeModel(graph), { spinning: false, memoryPattern: false });
  const feeds: Record<string, Tensor> = {
    ...firstContents(carried),
    pixel_values: images,
    labels: tensor(
      'int32',
      [BATCH],
      Int32Array.from({ length: BATCH }, (_, i) => i % 10),
    ),
    row_weights: float32(new Float32Array(BATCH).fill(1)),
    learning_rate: float32([1e-3], []),
    step: float32([1], []),
  };
  return () => session.run(feeds);
}

const loss = labels.term({ weight: 1, smoothing: 0 } as never, { classes: 10 });
console.log(
  '| student | plain, ms | observed | and error term | learnt steps | ratio |\n|---|---:|---:|---:|---:|---:|',
);
for (const [name, student] of Object.entries(students)) {
  const graph = shippedForm({ student });
  const ranges = await collectRanges(graph, valuesToCalibrate(graph), engine, [{ pixel_values: images }]);
  const names = new Set([...graph.initializers.keys()].map((value) => value.name));
  const folded: Student = { graph, parameters: student.parameters.filter((one) => names.has(one)) };
  const fake = (steps: FakeQuantizeOptions['steps']) =>
    fakeQuantize(folded, {
      ranges: new Map([...ranges].map(([value, { min, max }]) => [value, [min, max] as const])),
      steps,
    });
  const observed = fake({ kind: 'observed', momentum: 0.99, freezeAfter: 100 });
  const learnt = fake({ kind: 'learnt' });
  const steps = [
    await stepOf(student, [loss]),
    await stepOf(observed.student, [loss]),
    await stepOf(observed.student, [loss, quantizationError(observed.rounded, 0.1)]),
    await stepOf(learnt.student, [loss]),
  ];
  // In turns, so that other work on the machine disturbs all of them alike.
  const times: number[][] = steps.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, step] of steps.entries()) {
      const start = performance.now();
      await step();
      times[i]?.push(performance.now() - start);
    }
  }
  const least = times.map((all) => Math.min(...all));
  const [plain = 1, ...others] = least;
  console.log(
    `| ${name} | ${least.map((time) => time.toFixed(1)).join(' | ')} | ${others.map((time) => (time / plain).toFixed(2)).join(', ')} |`,
  );
}
