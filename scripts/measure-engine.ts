/**
 * Shows what ONNX Runtime does that the code has to know (docs/measurements.md): `npx tsx scripts/measure-engine.ts`.
 */
import * as ortWeb from 'onnxruntime-web';
import { createNodeEngine } from '../src/engine/node.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { float32, int64 } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { scriptArguments } from './script-arguments.ts';

scriptArguments(import.meta.url);

const [ROWS, WIDTH, TABLE, RUNS] = [4096, 64, 8000, 200];
const random = randomStream(1, 'measure-engine');
// Few ids are frequent and most are rare, as in text. Ones, so that every sum is exact and a lost update is seen.
const ids = Array.from({ length: ROWS }, () => Math.floor(random.uniform() ** 4 * TABLE));
const counts = new Float32Array(TABLE * WIDTH);
for (const id of ids) for (let column = 0; column < WIDTH; column++) counts[id * WIDTH + column]++;

await additions('ScatterND, reduction=add', 1);
await additions('ScatterND, reduction=add', 2);
await additions('ScatterElements, reduction=add', 2);
await writesInPlace();
for (const sessions of [1, 7])
  for (const spinning of [true, false]) await sessionsInTurns(sessions, spinning);

/** Adds rows of ones into a table and compares with counting. */
async function additions(title: string, threads: number): Promise<void> {
  const g = new GraphBuilder();
  const at = g.unsqueeze(g.input('ids', 'int64', [ROWS]), [1]);
  const table = g.fill([TABLE, WIDTH], 0);
  const rows = g.expand(g.scalar(1), [ROWS, WIDTH]);
  const sum = title.startsWith('ScatterND')
    ? g.scatterNd(table, at, rows, 'add')
    : g.scatterElements(table, g.expand(at, [ROWS, WIDTH]), rows, { reduction: 'add' });
  g.output(sum, 'sum');
  const session = await createNodeEngine({ threads }).load(writeModel(g.build()));
  let wrongRuns = 0;
  let lost = 0;
  for (let run = 0; run < RUNS; run++) {
    const result = (await session.run({ ids: int64(ids, [ROWS]) })).sum.data as Float32Array;
    let missing = 0;
    for (let i = 0; i < result.length; i++) missing += (counts[i] as number) - (result[i] as number);
    if (missing !== 0) wrongRuns++;
    lost += missing;
  }
  await session.release();
  console.log(
    `${title}, ${threads} thread(s): ${wrongRuns} of ${RUNS} runs wrong, ${lost} of ${RUNS * ROWS * WIDTH} additions lost`,
  );
}

/** Gives onnxruntime a tensor for an output, and looks whether it was written. */
async function writesInPlace(): Promise<void> {
  const g = new GraphBuilder();
  g.output(g.add(g.input('x', 'float32', [4]), 1), 'y');
  const model = writeModel(g.build());
  const { data } = float32([1, 2, 3, 4]);
  const run = async (ort: typeof ortWeb, title: string) => {
    const session = await ort.InferenceSession.create(model, { executionProviders: ['cpu'] });
    const target = new ort.Tensor('float32', new Float32Array(4), [4]);
    await session.run({ x: new ort.Tensor('float32', data as Float32Array, [4]) }, { y: target });
    console.log(`${title}: the tensor given for an output holds [${target.data}]; [2,3,4,5] is right`);
  };
  await run((await import('onnxruntime-node')) as unknown as typeof ortWeb, 'onnxruntime-node');
  await run(ortWeb, 'onnxruntime-web (wasm)');
}

/** Lets several sessions of the same small network take turns, as a training with several lengths does. */
async function sessionsInTurns(count: number, spinning: boolean): Promise<void> {
  const [rows, width, layers, calls] = [2048, 192, 12, 140];
  const weight = float32(
    Array.from({ length: width * width }, () => random.normal() / 14),
    [width, width],
  );
  const g = new GraphBuilder();
  let x = g.input('x', 'float32', [rows, width]);
  for (let layer = 0; layer < layers; layer++) x = g.relu(g.matMul(x, g.initializer(`w${layer}`, weight)));
  g.output(x, 'y');
  const model = writeModel(g.build());
  const engine = createNodeEngine();
  const sessions = await Promise.all(Array.from({ length: count }, () => engine.load(model, { spinning })));
  const feeds = {
    x: float32(
      Array.from({ length: rows * width }, () => random.normal()),
      [rows, width],
    ),
  };
  for (const session of sessions) await session.run(feeds);
  const start = performance.now();
  for (let call = 0; call < calls; call++) await sessions[call % count].run(feeds);
  const ms = (performance.now() - start) / calls;
  for (const session of sessions) await session.release();
  console.log(
    `${count} session(s) in turns, spinning ${spinning ? 'on' : 'off'}: ${ms.toFixed(2)} ms a call`,
  );
}
