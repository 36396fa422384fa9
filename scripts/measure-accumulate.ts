/**
 * Tells what computing batches in parts (`training.accumulate`) costs and saves: the time of a step and the memory that the
 * process takes at most, each number of parts in a process of its own (docs/training-step.md has a run):
 *
 *     npx tsx scripts/measure-accumulate.ts [--parts 1,2,4,8] [--steps 12]
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../src/engine/node.ts';
import { labelsTerm } from '../src/objectives/cross-entropy.ts';
import { kdTerm } from '../src/objectives/kd-logits.ts';
import { float32, tensor } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { resnet } from '../src/students/resnet.ts';
import { adamw } from '../src/train/adamw.ts';
import { CompiledStage } from '../src/train/compiled-stage.ts';
import { scriptArguments } from './script-arguments.ts';

const { values } = scriptArguments(import.meta.url, {
  options: {
    parts: { type: 'string', default: '1,2,4,8' },
    steps: { type: 'string', default: '12' },
    one: { type: 'string' },
  },
});
const [ROWS, CLASSES] = [128, 10];

if (values.one === undefined) {
  console.log('| parts | seconds of a step (median) | memory at most, MB |\n|---|---|---|');
  for (const parts of values.parts.split(',')) {
    const args = [
      ...process.execArgv,
      fileURLToPath(import.meta.url),
      '--one',
      parts,
      '--steps',
      values.steps,
    ];
    console.log(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim());
  }
} else {
  await measure(Number(values.one));
}

async function measure(accumulate: number): Promise<void> {
  const image = { channels: 1, height: 28, width: 28, classes: CLASSES };
  const student = buildClassifier(resnet, resnet.options.parse({}), {
    ...image,
    random: randomStream(1, 'student'),
  });
  const random = randomStream(2, 'batch');
  const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const batch = {
    variant: 'all',
    rows: ROWS,
    feeds: {
      pixel_values: float32(draw(ROWS * 28 * 28), [ROWS, 1, 28, 28]),
      labels: tensor(
        'int32',
        [ROWS],
        Int32Array.from({ length: ROWS }, () => random.integer(CLASSES)),
      ),
      row_weights: float32(new Float32Array(ROWS).fill(1)),
      'knowledge/logits': float32(draw(ROWS * CLASSES), [ROWS, CLASSES]),
    },
  };
  const terms = [kdTerm({ weight: 0.9, temperature: 2 }), labelsTerm({ weight: 0.1 })];
  const stage = new CompiledStage(
    { name: 'measured', terms, steps: Number(values.steps) },
    {
      engine: createNodeEngine(),
      student,
      variants: { all: { batch: ROWS } },
      batches: { batchesPerEpoch: 1, batch: () => batch },
      optimizer: adamw(),
      maxGradNorm: 1,
      accumulate,
    },
  );
  const times: number[] = [];
  for (let step = 1; step <= Number(values.steps); step++) {
    const start = performance.now();
    await stage.run(batch, { learning_rate: float32([1e-3], []), step: float32([step], []) });
    stage.buffers.swap();
    times.push((performance.now() - start) / 1000);
  }
  await stage.release();
  times.sort((a, b) => a - b);
  const peak = process.resourceUsage().maxRSS / 1000;
  console.log(`| ${accumulate} | ${times[Math.floor(times.length / 2)]!.toFixed(2)} | ${peak.toFixed(0)} |`);
}
