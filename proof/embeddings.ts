import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { useLiteTokenizer } from '../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import type { Engine } from '../src/engine/engine.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import type { ModelResult, RunResult } from '../src/index.ts';
import { parseRecipe } from '../src/index.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { buildStudent } from '../src/students/build-student.ts';
import { staticEmbedding } from '../src/students/static-embedding.ts';
import { linearHead } from '../src/targets/linear-head.ts';
import { metricOf } from './answers-table.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type EmbeddingQuality, embeddingQuality } from './embedding-quality.ts';
import { type Nouns, recipeNouns } from './noun-glosses.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

const RECIPE = fileURLToPath(new URL('../recipes/embeddings.yaml', import.meta.url));
const RUNS = fileURLToPath(new URL('../runs/proof', import.meta.url));

/** The students, each with its run. */
const STUDENTS = [
  { name: 'embeddings', recipe: 'embeddings', overrides: [] },
  { name: 'embeddings-drawn', recipe: 'embeddings', overrides: ['student.start=drawn'] },
  { name: 'embeddings-attention', recipe: 'embeddings-attention', overrides: [] },
] as const;

/** A file's vectors by what they are good for, and what its run says of it. */
interface Measured {
  readonly quality: EmbeddingQuality;
  readonly result?: ModelResult | undefined;
  /** Seconds that this process worked on the student, from the kept answers to the written files. */
  readonly processor?: number | undefined;
}

/** The sentence encoder's vectors from students that cost a hundredth: what the vectors are still good for. */
export const embeddings: Proof = {
  name: 'embeddings',
  title: "Embeddings: a sentence encoder's vectors",
  async run(log) {
    const runs: Record<string, Measured>[] = [];
    for (const seed of SEEDS) runs.push(await seedRun(seed, log));
    const of = (name: string, pick: (measured: Measured) => number) =>
      runs.map((run) => pick(run[name] as Measured));
    const probe = (name: string) => of(name, ({ quality }) => quality.probe);
    const parts = (name: string, pick: (measured: Measured) => number) =>
      of(name, pick).map((value, i) => value / (of('teacher', pick)[i] as number));
    const kept = parts('embeddings', ({ quality }) => quality.probe);
    const attentionKept = parts('embeddings-attention', ({ quality }) => quality.probe);
    const overDrawn = probe('embeddings').map((value, i) => value - (probe('embeddings-drawn')[i] as number));
    const overNothing = probe('embeddings').map((value, i) => value - (probe('nothing')[i] as number));
    const speedups = parts('embeddings', ({ result }) => result?.throughput ?? Number.NaN);
    const int8 = probe('embeddings').map((value, i) => value - (probe('embeddings-int8')[i] as number));
    const made = of('embeddings', ({ processor }) => processor ?? Number.NaN);
    const [candidates] = of('teacher', ({ quality }) => quality.candidates);
    return {
      table: markdownTable([
        [
          '',
          'linear probe, %',
          'example by definition, recall@10, %',
          'Spearman, hierarchy',
          'Spearman, teacher',
          'cosine, teacher',
          'size',
          'one text',
          'texts a second',
          'made in',
        ],
        row('teacher: Universal Sentence Encoder lite', runs, 'teacher'),
        row('static student', runs, 'embeddings'),
        row('static student, int8', runs, 'embeddings-int8'),
        row('the same from drawn vectors, not from least squares', runs, 'embeddings-drawn'),
        row('two layers of attention', runs, 'embeddings-attention'),
        row('no teacher: drawn vectors, weighted by frequency', runs, 'nothing'),
      ]),
      text:
        `Mean ± standard deviation over ${runs.length} seeds; a seed draws another split and other initial weights. Nothing is labelled: the students learn the teacher's vectors of 24,000 definitions and nothing else (plain KD). ` +
        `The probe is a linear classifier on frozen vectors, for the 26 classes of nouns, trained on 4,000 training definitions and tested on 4,000 others; the retrieval looks for a sentence that uses a noun among ${candidates} by the noun's definition; the hierarchy is WordNet's path similarity of 20,000 pairs, half of them drawn to be near. ` +
        `The static student keeps ${percents(kept)} % of the teacher's probe accuracy at ${numbers(speedups, 0)} times its throughput, the attention student ${percents(attentionKept)} %. ` +
        '"Made in" is the processor time from the kept answers to the written files (one thread; the time of a quiet core), without the teacher.',
      claims: [
        {
          text: `every static student keeps 93 % of its teacher's probe accuracy (${percents(kept)} %)`,
          holds: Math.min(...kept) >= 0.93,
        },
        {
          text: `every static student is made in 30 seconds of one core (${numbers(made, 1)} s)`,
          holds: Math.max(...made) <= 30,
        },
        {
          text: 'every static student is better than the same one from drawn vectors, by the probe',
          holds: Math.min(...overDrawn) > 0,
        },
        {
          text: 'every static student is better than vectors that learnt from no teacher, by more than the spread',
          holds: Math.min(...overNothing) > spreadOf(overNothing).deviation,
        },
        {
          text: 'every static student has at least 15 times the throughput of its teacher',
          holds: Math.min(...speedups) >= 15,
        },
        { text: 'int8 loses at most a point of the probe in every run', holds: Math.max(...int8) <= 0.01 },
      ],
    };
  },
};

function row(title: string, runs: readonly Record<string, Measured>[], name: string): string[] {
  const all = runs.map((run) => run[name] as Measured);
  const quality = (pick: (quality: EmbeddingQuality) => number) => all.map((one) => pick(one.quality));
  const results = all.flatMap(({ result }) => (result ? [result] : []));
  const told = (text: () => string) => (results.length > 0 ? text() : '');
  const processor = all.flatMap((one) => (one.processor === undefined ? [] : [one.processor]));
  const isTeacher = name === 'teacher';
  return [
    title,
    percents(quality(({ probe }) => probe)),
    percents(quality(({ retrieval }) => retrieval)),
    numbers(
      quality(({ hierarchy }) => hierarchy),
      3,
    ),
    told(() =>
      isTeacher
        ? ''
        : numbers(
            results.map((one) => metricOf(one, 'similarity')),
            3,
          ),
    ),
    told(() =>
      isTeacher
        ? ''
        : numbers(
            results.map((one) => metricOf(one, 'cosine')),
            3,
          ),
    ),
    told(() => `${(spreadOf(results.map(({ bytes }) => bytes)).mean / 1e6).toFixed(1)} MB`),
    told(
      () =>
        `${numbers(
          results.map(({ latencyMs }) => latencyMs.one),
          3,
        )} ms`,
    ),
    told(() => Math.round(spreadOf(results.map(({ throughput }) => throughput)).mean).toLocaleString('en')),
    processor.length > 0 ? `${numbers(processor, 0)} s` : '',
  ];
}

async function seedRun(seed: number, log: (line: string) => void): Promise<Record<string, Measured>> {
  const engine = createNodeEngine();
  const tokenizer = await useLiteTokenizer();
  const recipe = parseRecipe(readFileSync(RECIPE, 'utf8'), { file: RECIPE, overrides: [`seed=${seed}`] });
  const nouns = await recipeNouns(recipe, tokenizer);
  const found: Record<string, Measured> = {};
  const measure = (name: string, file: string | Uint8Array) =>
    qualityOf(name, seed, file, { engine, tokenizer, nouns, log });
  for (const { name, recipe: of, overrides } of STUDENTS) {
    const folder = `${RUNS}/${name}-seed-${seed}`;
    const { result, processor } = await timedRun(folder, (onStage) =>
      distilRecipe({ recipe: of, name, seed, overrides, onStage, log }),
    );
    if (!found.teacher) {
      const quality = await measure('teacher', `${folder}/teacher/model.onnx`);
      found.teacher = { quality, result: result.teacher };
    }
    const student = `${folder}/student/onnx/model.onnx`;
    found[name] = { quality: await measure(name, student), result: result.student, processor };
    const int8 = `${folder}/student/onnx/model_quantized.onnx`;
    if (name !== 'embeddings' || !existsSync(int8)) continue;
    const quality = await measure(`${name}-int8`, int8);
    found[`${name}-int8`] = { quality, result: result.studentInt8 ?? undefined };
  }
  found.nothing = { quality: await measure('nothing', await drawnVectors(nouns, tokenizer, seed)) };
  return found;
}

type Tokenizer = Awaited<ReturnType<typeof useLiteTokenizer>>;

/** A student that learnt nothing: random vectors of tokens, and how rare each token is in the training texts. */
async function drawnVectors(nouns: Nouns, tokenizer: Tokenizer, seed: number): Promise<Uint8Array> {
  const { graph } = buildStudent({
    backbone: staticEmbedding,
    options: staticEmbedding.options.parse({ width: 512, start: 'drawn' }),
    inputs: {
      vocabularySize: tokenizer.vocabularySize,
      maxLength: 64,
      trainingTexts: nouns.train.map(({ definition }) => tokenizer.encode(definition, 64)),
    },
    heads: [linearHead(512, 'sentence_embedding')],
    random: randomStream(seed, 'student'),
  });
  return writeModel(toEvaluationForm(graph));
}

/** Measured once: the numbers lie beside the run. */
async function qualityOf(
  name: string,
  seed: number,
  model: string | Uint8Array,
  context: {
    readonly engine: Engine;
    readonly tokenizer: Tokenizer;
    readonly nouns: Nouns;
    readonly log: (line: string) => void;
  },
): Promise<EmbeddingQuality> {
  const file = `${RUNS}/embedding-quality-${name}-seed-${seed}.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as EmbeddingQuality;
  const quality = await embeddingQuality(model, context.nouns, { ...context, seed });
  writeFileSync(file, JSON.stringify(quality));
  context.log(`${name} seed ${seed}: ${JSON.stringify(quality)}`);
  return quality;
}

/** A run with the processor's seconds of its stages train and export, which lie beside it: a finished run has none. */
async function timedRun(
  folder: string,
  run: (onStage: (stage: string, isOver: boolean) => void) => Promise<RunResult>,
): Promise<{ result: RunResult; processor: number | undefined }> {
  const file = `${folder}-processor-seconds.json`;
  // A run that goes on trains a part alone: its seconds say nothing.
  const isNew = !existsSync(folder);
  let [begun, seconds] = [process.cpuUsage(), 0];
  const result = await run((stage, isOver) => {
    if (!isOver) begun = process.cpuUsage();
    else if (stage === 'train' || stage === 'export') {
      const { user, system } = process.cpuUsage(begun);
      seconds += (user + system) / 1e6;
    }
  });
  if (isNew) writeFileSync(file, JSON.stringify(seconds));
  const processor = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number) : undefined;
  return { result, processor };
}
