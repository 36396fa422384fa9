/**
 * Times the writing of texts against a bare loop around ONNX Runtime that writes the same:
 *
 *     npx tsx bench/generate.ts [--model gpt2|llama] [--width 256] [--layers 4] [--vocabulary 8000] [--prompt 16] [--tokens 128] [--rows 1]
 *                               [--rounds 5] [--threads N]
 *
 * All take turns, so that what disturbs the machine disturbs all. Ratios are medians over the rounds of the bare loop's
 * time to another's.
 */

import { availableParallelism } from 'node:os';
import { scriptArguments } from '../scripts/script-arguments.ts';
import { quantizeDynamic } from '../src/compress/quantize-dynamic.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { buildGpt2 } from '../src/students/gpt2.ts';
import { withKeyValueCache } from '../src/students/key-value-cache.ts';
import { buildLlama } from '../src/students/llama.ts';
import { loadWriters, type Writing } from './generation-speed.ts';
import { median } from './statistics.ts';

type Writers = Awaited<ReturnType<typeof loadWriters>>;

/** How often each writes before anything counts. */
const WARM_UP = 8;

const number = (value: number) => ({ type: 'string', default: String(value) }) as const;
const { values } = scriptArguments(import.meta.url, {
  options: {
    model: { type: 'string', default: 'gpt2' },
    width: number(256),
    layers: number(4),
    vocabulary: number(8000),
    prompt: number(16),
    tokens: number(128),
    rows: number(1),
    rounds: number(5),
    threads: number(availableParallelism()),
  },
});
const [width, layers, rows, prompt, tokens, threads] = (
  ['width', 'layers', 'rows', 'prompt', 'tokens', 'threads'] as const
).map((name) => Number(values[name])) as [number, number, number, number, number, number];

const context = {
  vocabularySize: Number(values.vocabulary),
  maxLength: prompt + tokens,
  random: randomStream(1, 'bench-generate'),
};
const BUILDERS = {
  gpt2: () => buildGpt2({ width, heads: width / 64, layers }, context),
  llama: () => buildLlama({ width, heads: width / 64, keyHeads: Math.ceil(width / 128), layers }, context),
};
const build = BUILDERS[values.model as keyof typeof BUILDERS];
if (!build) throw new Error(`no model ${values.model}: one of ${Object.keys(BUILDERS).join(', ')}`);
const { graph } = build();
const task = { rows, prompt, tokens, threads };
const models = await Promise.all(
  [withKeyValueCache(graph), withKeyValueCache(quantizeDynamic(graph)), graph].map((model) =>
    loadWriters(writeModel(model), task),
  ),
);
const [float32, int8, whole] = models as [Writers, Writers, Writers];
const writers = [
  float32.bare('a bare loop'),
  float32.ours('greedy'),
  float32.ours('drawn, topP 0.9', { topP: 0.9 }),
  float32.ours('drawn, topK 50', { topK: 50 }),
  int8.ours('greedy, int8'),
  whole.ours('greedy, without a cache'),
];
const times = writers.map((): Writing[] => []);
const [expected, found] = [await writers[0]?.write(), await writers[1]?.write()];
if (expected?.ids.join() !== found?.ids.join()) throw new Error('the two loops write different texts');
// JavaScript is compiled while it runs: what nobody compiled yet is no part of what writing costs.
for (let round = 0; round < WARM_UP; round++) for (const writer of writers) await writer.write();
for (let round = 0; round < Number(values.rounds); round++) {
  // In an order that changes: each follows others.
  for (const at of writers.keys()) {
    const i = (at + round) % writers.length;
    times[i]?.push(await (writers[i] as (typeof writers)[number]).write());
  }
}
for (const model of models) await model.release();

console.log(
  `${values.model}, width ${width}, ${layers} layers, ${values.vocabulary} tokens; ${rows} x (${prompt} + ${tokens}) tokens, ${threads} threads\n`,
);
console.log('| | tokens/s | to the bare loop | by processor time |\n|---|---|---|---|');
for (const [i, { title }] of writers.entries()) {
  const [bare, own] = [times[0], times[i]] as [Writing[], Writing[]];
  const ratio = (part: 'milliseconds' | 'processorMilliseconds') =>
    median(own.map((time, round) => (bare[round] as Writing)[part] / time[part])).toFixed(2);
  const speed = (1000 * rows * tokens) / median(own.map(({ milliseconds }) => milliseconds));
  console.log(
    `| ${title} | ${speed.toFixed(0)} | ${ratio('milliseconds')} | ${ratio('processorMilliseconds')} |`,
  );
}
