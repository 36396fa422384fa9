/**
 * Our side of a memory measurement, in a process of its own: makes some steps and prints the largest size that the
 * process has had, in bytes. `npx tsx bench/our-process.ts MODEL THREADS STEPS`
 */
import { createNodeEngine } from '../src/engine/node.ts';
import { BENCH_MODELS } from './models.ts';
import { ourStep } from './our-step.ts';
import { peakBytes } from './peak-memory.ts';

const [name = '', threads, steps] = process.argv.slice(2);
const model = BENCH_MODELS[name];
if (!model) throw new Error(`no model ${name}`);
const step = await ourStep(model, { engine: createNodeEngine({ threads: Number(threads) }) });
await step.run(Number(steps));
await step.release();
console.log(JSON.stringify({ bytes: peakBytes() }));
