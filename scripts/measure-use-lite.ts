import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEngine } from '../src/engine/node.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { bindDims } from '../src/onnx/passes/bind-dims.ts';
import { elementCount, int64, type Tensor } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { ATTENTION_MASK, INPUT_IDS } from '../src/teachers/teacher-source.ts';
import { buildUseLiteEncoder } from '../src/teachers/use-lite/encoder.ts';
import { parameterSpecs } from '../src/teachers/use-lite/parameters.ts';
import { readUseLiteWeights } from '../src/teachers/use-lite/weights.ts';
import { scriptArguments } from './script-arguments.ts';

scriptArguments(import.meta.url);

// Prints the tables of docs/measurements-use-lite.md: npx tsx scripts/measure-use-lite.ts

const BATCHES = [1, 32, 128];
const LENGTHS = [16, 32, 64];
/** Two for each weight of the layers' matrices; attention itself adds 1 % at length 32. */
const FLOPS_PER_TOKEN =
  2 *
  parameterSpecs()
    .filter(({ name, shape }) => name.startsWith('layer_') && shape.length === 2)
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
const engine = createNodeEngine();

/** Full rows of different ids: padding costs as much as tokens do. */
function feeds(batch: number, length: number): Record<string, Tensor> {
  const ids = Array.from({ length: batch * length }, (_, i) => 6 + ((i * 7919) % 7990));
  const dims = [batch, length];
  return { [INPUT_IDS]: int64(ids, dims), [ATTENTION_MASK]: int64(new Array(ids.length).fill(1), dims) };
}

/**
 * Processor milliseconds of one run on one thread, the best of several: other work on the machine, which doubles
 * wall time at will, hardly moves it. Two free cores take a little more than half as long.
 */
async function processorTime(model: Graph, batch: number, length: number): Promise<number> {
  const session = await createNodeEngine({ threads: 1 }).load(writeModel(model));
  const inputs = feeds(batch, length);
  const runs = Math.max(5, Math.ceil(64 / batch));
  await session.run(inputs);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const start = process.cpuUsage();
    await session.run(inputs);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  await session.release();
  return best;
}

interface ProfileEvent {
  cat: string;
  name: string;
  dur: number;
  args?: { op_name?: string };
}

/** The share of each operator in the time of a run, from ONNX Runtime's profile. */
async function profile(model: Graph, batch: number, length: number): Promise<[string, number][]> {
  const folder = await mkdtemp(join(tmpdir(), 'limbeck-profile-'));
  const session = await engine.load(writeModel(model), { profile: join(folder, 'profile') });
  for (let i = 0; i < 5; i++) await session.run(feeds(batch, length));
  await session.release();
  const [file] = await readdir(folder);
  const events = JSON.parse(await readFile(join(folder, file as string), 'utf8')) as ProfileEvent[];
  await rm(folder, { recursive: true });
  const times = new Map<string, number>();
  let total = 0;
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const operator = args?.op_name ?? 'unknown';
    times.set(operator, (times.get(operator) ?? 0) + dur);
    total += dur;
  }
  return [...times]
    .map(([operator, dur]): [string, number] => [operator, dur / total])
    .sort((a, b) => b[1] - a[1]);
}

const encoder = buildUseLiteEncoder(await readUseLiteWeights());
console.log(`${engine.title}, ${cpus().length} x ${cpus()[0]?.model}\n`);
console.log('| batch | length | processor ms/sentence, 1 thread | GFLOP/s |');
console.log('|---|---|---|---|');
for (const batch of BATCHES) {
  for (const length of LENGTHS) {
    const ms = await processorTime(bindDims(encoder, { batch, sequence: length }), batch, length);
    const rate = (batch * length * FLOPS_PER_TOKEN) / ms / 1e6;
    console.log(`| ${batch} | ${length} | ${(ms / batch).toFixed(2)} | ${rate.toFixed(0)} |`);
  }
}
for (const length of [16, 32]) {
  const shares = await profile(bindDims(encoder, { batch: 32, sequence: length }), 32, length);
  const text = shares.slice(0, 8).map(([operator, share]) => `${operator} ${(100 * share).toFixed(1)} %`);
  console.log(`\nBatch 32, length ${length}: ${text.join(', ')}`);
}
