import * as ortWeb from 'onnxruntime-web';
import type { FourBitForm } from '../src/compress/blockwise.ts';
import { quantizeWeights } from '../src/compress/quantize-weights.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import type { OrtModule } from '../src/engine/ort-session.ts';
import { createWebEngine } from '../src/engine/web.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { madeCalls } from '../src/runtimes/made-inputs.ts';
import { endWith, scriptArguments } from './script-arguments.ts';

// How fast a student is with 4-bit weights, beside float32, on one thread in Node and in WebAssembly: docs/compress.md.
// npx tsx scripts/measure-four-bits.ts runs/glosses/student/onnx/model.onnx [SIZE=20 ...]

const ROWS = 32;
const SECONDS = 5;

const [file, ...given] = scriptArguments(import.meta.url, { allowPositionals: true }).positionals;
if (!file) endWith(import.meta.url, 'name an ONNX file in float32');
const sizes = Object.fromEntries(
  given.map((one) => one.split('=')).map(([name, size]) => [name, Number(size)]),
);
const graph = readModelFile(file);
const FORMS: Readonly<Record<string, FourBitForm>> = {
  'expand: load': { expand: 'load', block: 32, zeroPoints: false },
  'expand: run': { expand: 'run', block: 32, zeroPoints: false },
};
const models = new Map([
  ['float32', writeModel(graph)],
  ...Object.entries(FORMS).map(([name, form]) => [name, writeModel(quantizeWeights(graph, form))] as const),
]);
const engines = {
  Node: createNodeEngine({ threads: 1 }),
  WebAssembly: createWebEngine({ ort: ortWeb as unknown as OrtModule }),
};
const { one, many } = madeCalls(graph, sizes, ROWS);

console.log('| runtime | rows | file | bytes | load, ms | call, ms: quarter | half |');
console.log('|---|---:|---|---:|---:|---:|---:|');
for (const [runtime, engine] of Object.entries(engines)) {
  for (const calls of [one, many].filter(({ length }) => length > 0)) {
    const runs = [];
    for (const [name, bytes] of models) {
      const start = performance.now();
      const session = await engine.load(bytes);
      runs.push({ name, bytes, session, load: performance.now() - start, times: [] as number[] });
    }
    // By turns: what else the machine does meets all alike.
    const end = performance.now() + 1000 * SECONDS;
    for (let round = 0; performance.now() < end || round < 5; round++) {
      for (const { session, times } of runs) {
        const feeds = calls[round % calls.length];
        const start = performance.now();
        await session.run(feeds ?? {});
        if (round > 0) times.push(performance.now() - start);
      }
    }
    for (const { name, bytes, session, load, times } of runs) {
      times.sort((a, b) => a - b);
      const at = (part: number) => (times[Math.floor(part * times.length)] as number).toFixed(3);
      const rows = Object.values(calls[0] ?? {})[0]?.dims[0];
      console.log(
        `| ${runtime} | ${rows} | ${name} | ${bytes.length} | ${load.toFixed(0)} | ${at(0.25)} | ${at(0.5)} |`,
      );
      await session.release();
    }
  }
}
