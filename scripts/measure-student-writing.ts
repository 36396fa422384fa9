// How a student writes during its training: with weights that are inputs of its graph, or in a session that is made anew of them.
// Processor seconds of a batch of texts, medians of several in turns.
//
//   npx tsx scripts/measure-student-writing.ts [rounds] [width] [layers] [tokens]
import { createNodeEngine } from '../src/engine/node.ts';
import type { Decoder } from '../src/generate/decoder.ts';
import { generateTokens } from '../src/generate/generate-tokens.ts';
import { sessionDecoder } from '../src/generate/session-decoder.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { StudentWriter } from '../src/run/writing/student-writer.ts';
import { buildGpt2 } from '../src/students/gpt2.ts';
import { withKeyValueCache } from '../src/students/key-value-cache.ts';
import { trainedTensors, withParameters } from '../src/train/step-graph.ts';
import { scriptArguments } from './script-arguments.ts';

const { positionals } = scriptArguments(import.meta.url, { allowPositionals: true });
const [rounds = 5, width = 128, layers = 4, tokens = 40] = positionals.map(Number);
const [vocabularySize, maxLength, rows, prompt] = [4096, 64, 32, 8];
const engine = createNodeEngine();
const student = buildGpt2(
  { width, heads: 4, layers },
  { vocabularySize, maxLength, random: randomStream(1, 'student') },
);
const parameters = new Map(
  [...trainedTensors(student)].map(([name, { data }]) => [name, data as Float32Array]),
);
const random = randomStream(1, 'prompts');
const prompts = Array.from({ length: rows }, () =>
  Array.from({ length: prompt }, () => random.integer(vocabularySize)),
);

async function write(decoder: Decoder): Promise<string> {
  const ids: number[] = [];
  const how = { maxNewTokens: tokens, temperature: 1, seed: 1 };
  for await (const { id } of generateTokens(decoder, prompts, how)) ids.push(id);
  return ids.join();
}

async function spent(work: () => Promise<string>): Promise<{ seconds: number; text: string }> {
  const before = process.cpuUsage();
  const text = await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, text };
}

const writer = await StudentWriter.open(engine, student, maxLength);
const ways = {
  'weights as inputs': () => write(writer.decoder(parameters)),
  'a session made anew': async () => {
    const model = writeModel(withKeyValueCache(withParameters(student, parameters).graph));
    const session = await engine.load(model, { spinning: false });
    const text = await write(sessionDecoder(session, { maxLength }));
    await session.release();
    return text;
  },
  'making the session alone': async () => {
    const model = writeModel(withKeyValueCache(withParameters(student, parameters).graph));
    const session = await engine.load(model, { spinning: false });
    await session.release();
    return '';
  },
};
const seconds = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
const texts = new Set<string>();
for (let round = 0; round <= rounds; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const one = await spent(way);
    // The first round warms up.
    if (round > 0) seconds.get(name)?.push(one.seconds);
    if (one.text) texts.add(one.text);
  }
}
await writer.release();
console.log(
  `gpt2 of width ${width}, ${layers} layers; ${rows} texts of ${tokens} tokens after ${prompt}; ${texts.size} different result(s)`,
);
for (const [name, all] of seconds) {
  const sorted = all.toSorted((a, b) => a - b);
  console.log(`${name}: ${(sorted[sorted.length >> 1] as number).toFixed(3)} s of processor time`);
}
