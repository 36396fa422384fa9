/**
 * What a language model's training step costs with distillation: processor time of a step towards the text alone, and with the loss
 * towards what is kept of a teacher's answers, in turns in one process.
 *
 *   npx tsx scripts/measure-next-token-steps.ts [rounds]
 */
import { createNodeEngine } from '../src/engine/node.ts';
import { allObjectives } from '../src/objectives/index.ts';
import type { ObjectiveTerm } from '../src/objectives/objective.ts';
import { float32, type Tensor, tensor } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { buildGpt2 } from '../src/students/gpt2.ts';
import { openHead } from '../src/targets/head.ts';
import { findTarget } from '../src/targets/index.ts';
import type { AnyTarget } from '../src/targets/target.ts';
import { adamw } from '../src/train/adamw.ts';
import { compileStep } from '../src/train/compile-step.ts';
import { SwapBuffers } from '../src/train/swap-buffers.ts';
import { scriptArguments } from './script-arguments.ts';

const [BATCH, SEQUENCE, VOCABULARY] = [16, 128, 8000];
const [rounds = 7] = scriptArguments(import.meta.url, { allowPositionals: true }).positionals;
const ROUNDS = Number(rounds);

const random = randomStream(1, 'step');
const student = buildGpt2(
  { width: 256, heads: 4, layers: 4 },
  { vocabularySize: VOCABULARY, maxLength: SEQUENCE, random },
);
const target = findTarget('next-tokens') as AnyTarget;

function termsOf(keep: unknown): ObjectiveTerm[] {
  const options = target.options.parse(keep === undefined ? {} : { keep });
  const space = { vocabulary: VOCABULARY, endOfText: [] };
  const heads = [openHead({ output: 'logits', target, options, space, labels: 'labels' })];
  const term = (kind: string) => {
    const found = allObjectives().find((one) => one.kind === kind);
    if (!found) throw new Error(`no objective ${kind}`);
    return found.term(found.options.parse({}), { classes: 0, heads });
  };
  return keep === undefined ? [term('tokenLabels')] : [term('tokenLabels'), term('nextTokenKd')];
}

function feedOf(name: string, type: string, dims: readonly number[]): Tensor {
  const count = dims.reduce((a, b) => a * b, 1);
  const id = () => random.integer(VOCABULARY);
  if (name === 'input_ids')
    return tensor(
      'int64',
      dims,
      BigInt64Array.from({ length: count }, () => BigInt(id())),
    );
  if (type === 'int64') return tensor('int64', dims, new BigInt64Array(count).fill(1n));
  if (type === 'int32') return tensor('int32', dims, Int32Array.from({ length: count }, id));
  if (!name.startsWith('knowledge/'))
    return float32(
      Array.from({ length: count }, () => 1),
      dims,
    );
  const width = dims.at(-1) as number;
  if (width === VOCABULARY)
    return float32(
      Array.from({ length: count }, () => random.normal()),
      dims,
    );
  const values = Array.from({ length: count }, (_, i) => (i % width < width / 2 ? id() : 2 / width));
  return float32(values, dims);
}

const engine = createNodeEngine({ threads: 1 });
const CASES = {
  'towards the text': undefined,
  'and the 32 likeliest': { likeliest: 32 },
  'and 24 drawn': { sampled: 24 },
  'and all logits': 'all',
} as const;
const steps = [];
for (const [name, keep] of Object.entries(CASES)) {
  const compiled = compileStep({
    student,
    sizes: { batch: BATCH, sequence: SEQUENCE },
    terms: termsOf(keep),
    optimizer: adamw({ weightDecay: 0.01 }),
  });
  const session = await engine.load(writeModel(compiled.graph), {
    spinning: false,
    memoryPattern: false,
    largeFetches: true,
  });
  const batch = Object.fromEntries(
    compiled.batchInputs.map(({ name: input, type, dims }) => [input, feedOf(input, type, dims)]),
  );
  steps.push({ name, session, batch, buffers: new SwapBuffers(compiled.carried), times: [] as number[] });
}
for (let round = 0; round <= ROUNDS; round++) {
  for (const { session, batch, buffers, times } of steps) {
    const before = process.cpuUsage();
    const scalars = { learning_rate: float32([1e-4], []), step: float32([round + 1], []) };
    await session.run({ ...buffers.feeds, ...batch, ...scalars }, { ...buffers.fetches, loss: null });
    buffers.swap();
    const { user, system } = process.cpuUsage(before);
    // The first makes room for what follows.
    if (round > 0) times.push((user + system) / 1000);
  }
}
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const alone = median(steps[0]?.times ?? []);
for (const { name, times } of steps)
  console.log(
    `${name}: ${median(times).toFixed(0)} ms of processor time, ${(median(times) / alone).toFixed(2)}`,
  );
