import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseTokenizer } from '../src/data/modalities/text/tokenizer/tokenizer.ts';
import { openWordnetEntries } from '../src/data/sources/wordnet-entries.ts';
import { wordnetFolder } from '../src/data/sources/wordnet-glosses.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { allObjectives } from '../src/objectives/index.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { readModel } from '../src/onnx/read-model.ts';
import { float32, type Tensor, tensor } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { buildGpt2 } from '../src/students/gpt2.ts';
import { openHead } from '../src/targets/head.ts';
import { findTarget } from '../src/targets/index.ts';
import type { AnyTarget } from '../src/targets/target.ts';
import { plainDecoder } from '../src/teachers/plain-decoder.ts';
import { compileGradients, gradientName, SHARE } from '../src/train/compile-gradients.ts';
import { NEXT } from '../src/train/compile-step.ts';
import { RECIPES } from './distil-recipe.ts';
import { SHIPPED_TEACHER } from './lm-runs.ts';

const [ROWS, LENGTH] = [16, 32];
/** Of every how many entries one is read: nouns, verbs, adjectives and adverbs. */
const STRIDE = 7_000;
const KEPT = { sampled: { sampled: 24 }, likeliest: { likeliest: 24 }, all: 'all' } as const;

/** How far gradients are from that with all logits, as a part of its norm. */
export interface GradientErrors {
  /** Of the mean over the first 1, 2, 3 ... draws. */
  readonly sampled: readonly number[];
  readonly likeliest: number;
  readonly texts: number;
  readonly tokens: number;
}

const engine = createNodeEngine();
const target = findTarget('next-tokens') as AnyTarget;

/** The gradients of `nextTokenKd` by a student's weights: with all of a teacher's logits, its likeliest tokens, and draws of them. */
export async function gradientErrors(draws: number, log: (line: string) => void): Promise<GradientErrors> {
  const batch = await readBatch();
  const logits = await answersOf(batch);
  const whole = await gradientOf('all', batch);
  const all = await whole(logits);
  const likeliest = await gradientOf('likeliest', batch);
  const sampled = await gradientOf('sampled', batch);
  const keep = {
    likeliest: await keeperOf('likeliest', batch.vocabulary),
    sampled: await keeperOf('sampled', batch.vocabulary),
  };
  const sum = new Float64Array(all.length);
  const errors: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    // A draw follows from the tokens read so far: of other tokens it is another draw of the same answers.
    const ids = BigInt64Array.from(batch.ids.data as BigInt64Array, (id) => (id + BigInt(draw * 97)) % 4093n);
    const gradient = await sampled(
      await keep.sampled(logits, { ...batch, ids: tensor('int64', batch.ids.dims, ids) }),
    );
    gradient.forEach((value, i) => {
      sum[i] = (sum[i] as number) + value;
    });
    errors.push(
      distance(
        sum.map((value) => value / (draw + 1)),
        all,
      ),
    );
    if ((draw + 1) % 64 === 0) log(`gradients of ${draw + 1} draws`);
  }
  return {
    sampled: errors,
    likeliest: distance(await likeliest(await keep.likeliest(logits, batch)), all),
    texts: ROWS,
    tokens: batch.tokens,
  };
}

function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += ((found[i] as number) - (expected[i] as number)) ** 2;
    norm += (expected[i] as number) ** 2;
  }
  return Math.sqrt(difference / norm);
}

interface Batch {
  /** int64 [ROWS, LENGTH] */
  readonly ids: Tensor;
  readonly mask: Tensor;
  /** int32, -1 where nothing is asked for. */
  readonly labels: Tensor;
  readonly tokens: number;
  readonly vocabulary: number;
}

async function readBatch(): Promise<Batch> {
  const file = (name: string) => readFileSync(join(SHIPPED_TEACHER, '../..', name));
  const tokenizer = parseTokenizer(file('tokenizer.json'), file('tokenizer_config.json'), 'tokenizer.json');
  const source = await openWordnetEntries(await wordnetFolder());
  const texts: string[] = [];
  let at = 0;
  for await (const row of source.rows()) {
    if ('sample' in row && at++ % STRIDE === 0 && texts.length < ROWS)
      texts.push(String(row.sample.values.text));
  }
  const [ids, mask] = [new BigInt64Array(ROWS * LENGTH), new BigInt64Array(ROWS * LENGTH)];
  const labels = new Int32Array(ROWS * LENGTH).fill(-1);
  let tokens = 0;
  texts.forEach((text, row) => {
    const own = tokenizer.promptIds(text).slice(0, LENGTH + 1);
    own.slice(0, -1).forEach((id, i) => {
      ids[row * LENGTH + i] = BigInt(id);
      mask[row * LENGTH + i] = 1n;
      labels[row * LENGTH + i] = own[i + 1] as number;
      tokens++;
    });
  });
  const { vocab_size: vocabulary } = JSON.parse(file('config.json').toString()) as { vocab_size: number };
  const dims = [ROWS, LENGTH];
  return {
    ids: tensor('int64', dims, ids),
    mask: tensor('int64', dims, mask),
    labels: tensor('int32', dims, labels),
    tokens,
    vocabulary,
  };
}

/** The teacher's logits, float32 [ROWS, LENGTH, vocabulary]. */
async function answersOf({ ids, mask }: Batch): Promise<Tensor> {
  const session = await engine.load(
    writeModel(plainDecoder(readModel(readFileSync(SHIPPED_TEACHER)), 'the teacher')),
  );
  const { logits } = await session.run({ input_ids: ids, attention_mask: mask }, { logits: null });
  await session.release();
  return logits as Tensor;
}

/** What a form keeps of answers. */
async function keeperOf(kept: 'likeliest' | 'sampled', vocabulary: number) {
  const form = target.keep?.(target.options.parse({ keep: KEPT[kept] }), { vocabulary, endOfText: [] });
  if (!form) throw new Error(`nothing is kept by ${kept}`);
  const g = new GraphBuilder();
  const logits = g.input('logits', 'float32', ['batch', 'sequence', 'vocabulary']);
  const ids = g.input('ids', 'int64', ['batch', 'sequence']);
  const mask = g.input('mask', 'int64', ['batch', 'sequence']);
  g.output(form.build(g, logits, ids, mask), 'kept');
  const session = await engine.load(writeModel(g.build('kept')));
  return async (answers: Tensor, batch: Batch): Promise<Tensor> => {
    const feeds = { logits: answers, ids: batch.ids, mask: batch.mask };
    return (await session.run(feeds, { kept: null })).kept as Tensor;
  };
}

/** Of a student drawn anew: the gradient by all its weights, one after another, for what is kept of the teacher's answers. */
async function gradientOf(kept: keyof typeof KEPT, batch: Batch) {
  const options = target.options.parse({ keep: KEPT[kept] });
  const space = { vocabulary: batch.vocabulary, endOfText: [] };
  const heads = [openHead({ output: 'logits', target, options, space, labels: 'labels' })];
  const objective = allObjectives().find(({ kind }) => kind === 'nextTokenKd');
  if (!objective) throw new Error('there is no loss nextTokenKd');
  const student = buildGpt2(studentSizes(), {
    vocabularySize: batch.vocabulary,
    maxLength: 64,
    random: randomStream(1, 'student'),
  });
  const compiled = compileGradients({
    student,
    sizes: { batch: ROWS, sequence: LENGTH },
    terms: [objective.term(objective.options.parse({}), { classes: 0, heads })],
  });
  const session = await engine.load(writeModel(compiled.graph));
  const parameters = compiled.carried.filter(({ role }) => role === 'parameter');
  const feeds: Record<string, Tensor> = {};
  const zeros = (dims: readonly number[]) =>
    float32(new Float32Array(dims.reduce((a, b) => a * b, 1)), [...dims]);
  for (const { spec, initial } of compiled.carried) feeds[spec.name] = initial ?? zeros(spec.dims);
  for (const { spec } of parameters) feeds[gradientName(spec.name)] = zeros(spec.dims);
  for (const { name } of compiled.graph.inputs)
    if (name.startsWith('count/')) feeds[name] = float32([batch.tokens], []);
  feeds[SHARE] = float32([1], []);
  return async (teacher: Tensor): Promise<Float32Array> => {
    for (const { name, type, dims } of compiled.batchInputs) {
      const given: Record<string, Tensor> = {
        input_ids: batch.ids,
        attention_mask: batch.mask,
        labels: batch.labels,
      };
      const ones = float32(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1), dims);
      feeds[name] = given[name] ?? (name.startsWith('knowledge/') ? teacher : ones);
      if (feeds[name].type !== type) throw new Error(`${name} has to be ${type}`);
    }
    const names = parameters.map(({ spec }) => gradientName(spec.name) + NEXT);
    const found = await session.run(feeds, Object.fromEntries(names.map((name) => [name, null])));
    return Float32Array.from(
      names.flatMap((name) => Array.from((found[name] as Tensor).data as Float32Array)),
    );
  };
}

/** Those of recipes/lm.yaml. */
function studentSizes() {
  const { student } = parse(readFileSync(join(RECIPES, 'lm.yaml'), 'utf8')) as {
    readonly student: { readonly width: number; readonly heads: number; readonly layers: number };
  };
  return student;
}
