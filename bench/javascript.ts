/**
 * Times AdamW steps of an MLP against the JavaScript libraries that train: jax-js and TensorFlow.js on WebAssembly, in
 * Node. Both are installed into a scratch folder, for this run only (so this needs the npm registry):
 *
 *     npm run bench:js -- [--rounds 3] [--steps 20] [--out FILE.json]
 *
 * Ours runs on onnxruntime-node and on onnxruntime-web's WebAssembly.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptArguments } from '../scripts/script-arguments.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { createWebEngine } from '../src/engine/web.ts';
import { MLP, mlpModel } from './mlp.ts';
import { ourStep } from './our-step.ts';
import { median } from './statistics.ts';

const PEERS = {
  'jax-js': { script: 'mlp-jax.mjs', packages: ['@jax-js/jax'] },
  'TensorFlow.js': {
    script: 'mlp-tfjs.mjs',
    packages: ['@tensorflow/tfjs@4', '@tensorflow/tfjs-backend-wasm@4'],
  },
} as const;
/** Steps before anything counts: compilation, allocation. */
const WARM_UP = 3;

const { values } = scriptArguments(import.meta.url, {
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '20' },
    out: { type: 'string' },
  },
});
const steps = Number(values.steps);
const threads = availableParallelism();
const folder = mkdtempSync(join(tmpdir(), 'limbeck-bench-'));
try {
  const packages = Object.values(PEERS).flatMap((peer) => peer.packages);
  console.log(`Installing ${packages.join(', ')} into ${folder}, for this run only.`);
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', ...packages], { cwd: folder });
  await compare();
} finally {
  rmSync(folder, { recursive: true });
}

async function compare(): Promise<void> {
  const ours = {
    'onnxruntime-node': await ourStep(mlpModel, { engine: createNodeEngine({ threads }) }),
    'onnxruntime-web': await ourStep(mlpModel, {
      engine: createWebEngine({ ort: () => import('onnxruntime-web/wasm') }),
    }),
  };
  const times = new Map<string, number[]>();
  const add = (name: string, all: readonly number[]) =>
    times.set(name, [...(times.get(name) ?? []), ...all.slice(WARM_UP)]);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, step] of Object.entries(ours)) add(`Limbeck, ${name}`, await step.run(steps + WARM_UP));
    for (const [name, peer] of Object.entries(PEERS)) add(name, runPeer(peer.script));
  }
  for (const step of Object.values(ours)) await step.release();
  const results = [...times].map(([name, all]) => ({ name, milliseconds: median(all) }));
  console.log(`\n${mlpModel.title}, AdamW, ${cpus()[0]?.model.trim()}, ${threads} threads\n`);
  console.log('| | ms a step | times onnxruntime-node | times onnxruntime-web |\n|---|---|---|---|');
  const [native, web] = results.map(({ milliseconds }) => milliseconds);
  for (const { name, milliseconds } of results) {
    const cells = [name, milliseconds, milliseconds / native!, milliseconds / web!];
    console.log(
      `| ${cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell)).join(' | ')} |`,
    );
  }
  if (values.out) writeFileSync(values.out, `${JSON.stringify(results, null, 2)}\n`);
}

/** The milliseconds of each step of a peer, in a process of its own. */
function runPeer(script: string): number[] {
  const path = join(folder, script);
  copyFileSync(new URL(`peers/${script}`, import.meta.url), path);
  const job = JSON.stringify([MLP.batch, MLP.widths, steps + WARM_UP]);
  const output = execFileSync(process.execPath, [path, job], { stdio: ['ignore', 'pipe', 'ignore'] });
  const line = output.toString().trim().split('\n').at(-1) as string;
  return (JSON.parse(line) as { times: number[] }).times;
}
