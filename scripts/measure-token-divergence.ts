import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { peakBytes } from '../bench/peak-memory.ts';
import { gradients } from '../src/autodiff/gradients.ts';
import { meanLoss } from '../src/objectives/objective.ts';
import { softened } from '../src/objectives/soft-targets.ts';
import { perWeight } from '../src/objectives/token-classes.ts';
import {
  DIVERGENCES,
  type Divergence,
  divergenceOf,
  tokenDivergence,
} from '../src/objectives/token-divergence.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { scriptArguments } from './script-arguments.ts';

// Memory and time of a loss over the logits of a language model with its gradient, at once and part by part:
//
//     npx tsx scripts/measure-token-divergence.ts
//
// Each in a process of its own, on one thread, without the arena of ONNX Runtime, so that what is freed is free.

const [BATCH, LENGTH, WIDTH, VOCABULARY] = [8, 256, 64, 8000];
const LOGITS = 4 * BATCH * LENGTH * VOCABULARY;

async function measure(divergence: Divergence, how: string): Promise<void> {
  const g = new GraphBuilder();
  const features = g.input('features', 'float32', [BATCH, LENGTH, WIDTH]);
  const table = g.input('table', 'float32', [WIDTH, VOCABULARY]);
  const teacher = g.input('teacher', 'float32', [BATCH, LENGTH, VOCABULARY]);
  const weights = g.input('weights', 'float32', [BATCH, LENGTH]);
  const student = g.matMul(features, table);
  const options = { temperature: 1, divergence, mix: 0.5 };
  const atOnce = () => {
    const sides = { teacher: softened(g, teacher, 1), student: softened(g, student, 1), mix: 0.5 };
    const losses = g.mul(divergenceOf(g, divergence, sides), weights);
    return perWeight(g, g.reduceSum(losses, { axes: [1], keepDims: false }), weights);
  };
  const inParts = () => tokenDivergence(g, { student, teacher, tokenWeights: weights, ...options });
  const loss = meanLoss(g, how === 'parts' ? inParts() : atOnce());
  const [slope] = gradients(g, loss, [table]);
  g.output(loss, 'loss');
  if (slope) g.output(slope, 'slope');
  const session = await ort.InferenceSession.create(writeModel(g.build()), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableCpuMemArena: false,
    enableMemPattern: false,
    logSeverityLevel: 4,
  });
  const numbers = (dims: number[], step: number) =>
    new ort.Tensor(
      'float32',
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * step)),
      dims,
    );
  const feeds = {
    features: numbers([BATCH, LENGTH, WIDTH], 0.37),
    table: numbers([WIDTH, VOCABULARY], 0.11),
    teacher: numbers([BATCH, LENGTH, VOCABULARY], 0.77),
    weights: numbers([BATCH, LENGTH], 0),
  };
  (feeds.weights.data as Float32Array).fill(1);
  const before = process.memoryUsage().rss;
  const times: number[] = [];
  for (let i = 0; i < 4; i++) {
    const start = process.cpuUsage();
    await session.run(feeds);
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
  const memory = ((peakBytes() - before) / LOGITS).toFixed(1);
  console.log(
    `${divergence}, ${how}: ${memory} times the logits, ${Math.min(...times).toFixed(0)} ms of processor time`,
  );
}

const [divergence, how] = scriptArguments(import.meta.url, { allowPositionals: true }).positionals;
if (divergence && how) await measure(divergence as Divergence, how);
else
  for (const one of DIVERGENCES)
    for (const way of ['at once', 'parts']) {
      const script = fileURLToPath(import.meta.url);
      spawnSync(process.execPath, [...process.execArgv, script, one, way], { stdio: 'inherit' });
    }
