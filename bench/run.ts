/**
 * Times whole training steps (forward, loss, backward, AdamW) against PyTorch on this machine:
 *
 *     npm run bench -- [MODEL ...] [--rounds 5] [--seconds 2] [--threads N] [--memory] [--out FILE.json] [--record]
 *
 * Both take turns, so that what disturbs the machine disturbs both; the ratio is the median over the rounds of the
 * medians of each. PyTorch is found through LIMBECK_BENCH_PYTHON or python3; without it the ratios of
 * `bench/recorded.json` are shown, as such. `--record` writes that file.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { endWith, scriptArguments } from '../scripts/script-arguments.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { carriedSpecs } from '../src/train/carried.ts';
import { BENCH_MODELS, type BenchModel } from './models.ts';
import { ourStep } from './our-step.ts';
import { pyTorchStep, pythonWithPyTorch } from './peers/pytorch.ts';
import { median } from './statistics.ts';
import { type BenchResult, markdownTable } from './table.ts';

const RECORDED = new URL('recorded.json', import.meta.url);
/** Steps of each side before anything counts: the first ones allocate. */
const WARM_UP = 2;

const { values, positionals } = scriptArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    threads: { type: 'string', default: String(availableParallelism()) },
    memory: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCH_MODELS);
const unknown = names.filter((name) => !(name in BENCH_MODELS));
if (unknown.length > 0)
  endWith(
    import.meta.url,
    `no model ${unknown.join(', ')}; there are ${Object.keys(BENCH_MODELS).join(', ')}`,
  );
const threads = Number(values.threads);
const rounds = Number(values.rounds);
const python = pythonWithPyTorch();
if (!python)
  console.log('PyTorch is not installed (LIMBECK_BENCH_PYTHON, python3): its ratios are the recorded ones.');

const results: BenchResult[] = [];
for (const name of names) {
  const model = BENCH_MODELS[name];
  if (!model) throw new Error(`no model ${name}: one of ${Object.keys(BENCH_MODELS).join(', ')}`);
  const result = python ? await compare(name, model, python) : await alone(name, model);
  if (!result) continue;
  results.push(result);
  console.log(markdownTable(results.slice(-1)));
}
if (results.length > 1) console.log(`\n${markdownTable(results)}`);
if (values.out) writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`);
if (values.record && python) {
  const kept = recorded().filter(({ name }) => !results.some((result) => result.name === name));
  writeFileSync(RECORDED, `${JSON.stringify([...kept, ...results], null, 2)}\n`);
}

/** Ours and theirs, in turns. */
async function compare(name: string, model: BenchModel, python: string): Promise<BenchResult> {
  const ours = await ourStep(model, { engine: createNodeEngine({ threads }) });
  const theirs = await pyTorchStep(python, name, threads);
  const sides = [ours, theirs].map((side) => ({ side, steps: 1, times: [] as number[] }));
  for (const entry of sides) {
    const times = await entry.side.run(WARM_UP);
    entry.steps = Math.max(2, Math.round((1000 * Number(values.seconds)) / Math.min(...times)));
  }
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const entry of sides) entry.times.push(median(await entry.side.run(entry.steps)));
    const [mine, other] = sides.map(({ times }) => times.at(-1) as number);
    ratios.push((mine as number) / (other as number));
  }
  const [mine, other] = sides.map(({ times }) => times);
  const count = carriedSpecs(ours.compiled.carried, 'parameter').reduce(
    (sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1),
    0,
  );
  if (count !== theirs.parameters)
    throw new Error(`${name} has ${count} parameters here and ${theirs.parameters} in PyTorch`);
  await ours.release();
  await theirs.end();
  return {
    name,
    title: model.title,
    goal: model.goal,
    parameters: count,
    nodes: ours.compiled.graph.nodes.length,
    ours: median(mine as number[]),
    theirs: median(other as number[]),
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    ...(values.memory ? { memory: await memoryRatio(name, python) } : {}),
    recorded: false,
    machine: `${cpus()[0]?.model.trim()}, ${threads} threads`,
    versions: `onnxruntime-node ${ortVersion()}, PyTorch ${theirs.version}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Without PyTorch: our time now, and the ratio as it was recorded; undefined where none was. */
async function alone(name: string, model: BenchModel): Promise<BenchResult | undefined> {
  const step = await ourStep(model, { engine: createNodeEngine({ threads }) });
  await step.run(WARM_UP);
  const ours = median(await step.run(rounds));
  await step.release();
  const known = recorded().find((result) => result.name === name);
  if (known) return { ...known, ours, recorded: true };
  console.log(`${model.title}: ours takes ${ours.toFixed(0)} ms a step; no ratio is recorded.`);
  return undefined;
}

/** The peaks of two fresh processes of three steps each, and how many times the other's ours is. */
async function memoryRatio(name: string, python: string): Promise<NonNullable<BenchResult['memory']>> {
  const script = new URL('our-process.ts', import.meta.url).pathname;
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, name, String(threads), '3']);
  const ours = (JSON.parse(output.toString()) as { bytes: number }).bytes;
  const peer = await pyTorchStep(python, name, threads);
  await peer.run(3);
  const theirs = await peer.peakBytes();
  await peer.end();
  return { ours, theirs, ratio: ours / theirs };
}

function recorded(): BenchResult[] {
  try {
    return JSON.parse(readFileSync(RECORDED, 'utf8')) as BenchResult[];
  } catch {
    return [];
  }
}

function ortVersion(): string {
  const path = new URL('../node_modules/onnxruntime-node/package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
