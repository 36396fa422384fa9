import { BENCH_MODELS } from '../bench/models.ts';
import { ourStep } from '../bench/our-step.ts';
import { createNodeEngine } from '../src/engine/node.ts';
const [name, rounds = '3'] = process.argv.slice(2);
const G = globalThis as any;
const modes: [string, number, number][] = [['seq intra2', 1, 2], ['par inter2 intra2', 2, 2], ['par inter2 intra1', 2, 1], ['seq intra1', 1, 1]];
const steps: any[] = [];
// calibrate each in its own engine; only forms with intra 2 first
for (const [title, inter, intra] of modes) { G.INTER = 1; const engine = createNodeEngine({ threads: intra } as any);
  const load = engine.load.bind(engine);
  (engine as any).load = (m: any, o: any) => { G.INTER = o?.largeFetches && o?.spinning === false && o?.memoryPattern === false ? inter : 1; return load(m, { ...o, threads: intra }); };
  const s = await ourStep(BENCH_MODELS[name!]!, { engine }); await s.run(2); steps.push([title, s, [] as number[]]); }
console.log('ready'); const { readFileSync } = await import('node:fs');
await new Promise((r) => { process.on('SIGUSR2', () => r(0)); setTimeout(r, 400000); });
for (let r = 0; r < Number(rounds); r++) for (const [, s, t] of steps) { const x = (await s.run(4)).slice(1); t.push(...x); }
for (const [title, s, t] of steps) { t.sort((a: number, b: number) => a - b); console.log(name, title, 'least', t[0].toFixed(0), 'median', t[t.length >> 1].toFixed(0), 'loss', s.loss()); }
process.exit(0);
