import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PreparedDataset } from '../src/data/prepared/dataset-manifest.ts';
import type { RecordSplit } from '../src/data/prepared/record-split.ts';
import { emoji as source } from '../src/data/sources/emoji.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { writeDualEncoder } from '../src/export/dual-encoder.ts';
import type { ObjectiveInput } from '../src/objectives/index.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { withOutputs } from '../src/onnx/passes/select-outputs.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import type { Student } from '../src/students/student.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../src/targets/pair-embeds.ts';
import { openUseLite } from '../src/teachers/use-lite/open.ts';
import {
  emojiPairs,
  GROUPS,
  MAX_LENGTH,
  measurePairs,
  type PairNumbers,
  pairsPerSecond,
  WIDTH,
} from './emoji-pairs.ts';
import { askPairs, type PairAnswers, pairModel, startFromTeacher, trainPairs } from './emoji-training.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

const FOLDER = fileURLToPath(new URL('../runs/proof/emoji', import.meta.url));

const OUTPUTS = [TEXT_EMBEDS, IMAGE_EMBEDS] as const;
/** l_text L_text + l_image L_image + l_cross L_cross. */
const TEXT: ObjectiveInput = { kind: 'cosineKd', output: TEXT_EMBEDS, weight: 10 };
const IMAGE: ObjectiveInput = { kind: 'cosineKd', output: IMAGE_EMBEDS, weight: 10 };
const CROSS: readonly ObjectiveInput[] = [
  { kind: 'affinityKd', outputs: [...OUTPUTS], weight: 1 },
  { kind: 'marginContrastive', outputs: [...OUTPUTS], weight: 1, margin: 0.2 },
];
const infoNce = (temperature: number): ObjectiveInput => ({
  kind: 'infoNce',
  outputs: [...OUTPUTS],
  weight: 1,
  temperature,
});

/** The students that are compared: all are the same network with the same first weights of the image tower. */
const STUDENTS = [
  { name: 'student', title: 'student', objective: [TEXT, IMAGE, ...CROSS], taught: true },
  { name: 'no-text', title: 'without l_text', objective: [IMAGE, ...CROSS], taught: true },
  { name: 'no-image', title: 'without l_image', objective: [TEXT, ...CROSS], taught: true },
  { name: 'plain', title: 'plain KD: without l_cross', objective: [TEXT, IMAGE], taught: true },
  { name: 'alone', title: 'baseline: without a teacher', objective: [infoNce(0.05)], taught: false },
] as const;

const TEACHER = { epochs: 60, batchSize: 128, learningRate: 3e-3, weightDecay: 0.1 };
const STUDENT = { epochs: 60, batchSize: 64, learningRate: 4e-3, weightDecay: 0.02 };
const VIEWS = 8;
const VARIATION = { crop: 3, flip: true, zoom: 0.2, turn: 15, colour: 0.3 };

interface Measured {
  readonly google: PairNumbers;
  readonly twitter: PairNumbers;
  readonly pairsPerSecond: number;
  readonly bytes: number;
}

/** Texts and drawings of emoji in one space: USE lite with an image tower trained onto it, and what learns from both. */
export const emoji: Proof = {
  name: 'emoji',
  title: 'Emoji: texts and images in one space',
  async run(log) {
    const runs: Record<string, Measured>[] = [];
    for (const seed of SEEDS) runs.push(await emojiRun(seed, log));
    const of = (name: string, pick: (measured: Measured) => number) =>
      runs.map((run) => pick(run[name] as Measured));
    const rows = [
      ['teacher', 'teacher: USE lite and a ResNet'] as const,
      ...STUDENTS.map(({ name, title }) => [name, title] as const),
    ];
    const table = markdownTable([
      [
        '',
        'images by texts @1',
        '@10',
        'texts by images @1',
        '@10',
        'groups',
        'other vendor, @10 both ways',
        'groups',
        'pairs a second',
      ],
      ...rows.map(([name, title]) => [
        title,
        percents(of(name, ({ google }) => google.textToImage1)),
        percents(of(name, ({ google }) => google.textToImage10)),
        percents(of(name, ({ google }) => google.imageToText1)),
        percents(of(name, ({ google }) => google.imageToText10)),
        percents(of(name, ({ google }) => google.groups)),
        percents(of(name, ({ twitter }) => twitter.recall10)),
        percents(of(name, ({ twitter }) => twitter.groups)),
        numbers(
          of(name, (measured) => measured.pairsPerSecond),
          0,
        ),
      ]),
    ]);
    const kept = runs.map((run) => run.student!.google.recall10 / run.teacher!.google.recall10);
    const faster = runs.map((run) => run.student!.pairsPerSecond / run.teacher!.pairsPerSecond);
    const recall = (name: string) => spreadOf(of(name, ({ google }) => google.recall10)).mean;
    return {
      table,
      text: `Emoji that no training saw (15 % of 1,644), recall in percent; chance at 10 is about 4 %. Mean ± standard deviation over ${SEEDS.length} seeds, each with other emoji held out. The student keeps ${percents(kept)} % of the teacher's recall@10 at ${numbers(faster, 1)} times its throughput.`,
      claims: [
        {
          text: "the student keeps at least 92 % of the teacher's recall@10",
          holds: spreadOf(kept).mean >= 0.92,
        },
        { text: 'at 15 times the throughput', holds: spreadOf(faster).mean >= 15 },
        {
          text: 'it is above the same student without a teacher',
          holds: recall('student') > recall('alone'),
        },
        ...STUDENTS.slice(1, 4).map(({ name, title }) => ({
          text: `it is not below the student ${title}`,
          holds: recall('student') >= recall(name),
        })),
      ],
    };
  },
};

/** One seed: its own split, a teacher, and every student. What is finished is not done again. */
async function emojiRun(seed: number, log: (line: string) => void): Promise<Record<string, Measured>> {
  const folder = join(FOLDER, `seed-${seed}`);
  mkdirSync(folder, { recursive: true });
  const results = readResults(folder);
  const engine = createNodeEngine();
  const use = await openUseLite();
  const { tokenizer } = use;
  const [google, twitter] = await Promise.all(
    (['google', 'twitter'] as const).map((vendor) => emojiPairs(vendor, { tokenizer, seed, folder: FOLDER })),
  );
  try {
    const labels = await groupsById();
    const groups = (split: RecordSplit) => ({
      ids: Object.values(GROUPS).map((name) => tokenizer.encode(name, MAX_LENGTH)),
      of: (ordinal: number) => Object.keys(GROUPS).indexOf(labels.get(split.id(ordinal)) ?? ''),
    });
    const measure = async (graph: Graph): Promise<Measured> => {
      const bytes = writeModel(graph);
      const session = await engine.load(bytes);
      try {
        return {
          google: await measurePairs(session, google.splits.test, groups(google.splits.test)),
          twitter: await measurePairs(session, twitter.splits.test, groups(twitter.splits.test)),
          pairsPerSecond: await pairsPerSecond(engine, bytes, google.splits.test),
          bytes: bytes.length,
        };
      } finally {
        await session.release();
      }
    };
    const shared = { engine, validation: google.splits.validation, seed, log };
    log(`seed ${seed}: teacher`);
    const frozen = { graph: use.model, output: use.embeddingOutput as string };
    const untrained = pairModel(
      { text: { kind: 'use-lite' }, image: { kind: 'resnet', width: 24, blocks: 2 }, frozen },
      tokenizer,
      seed,
    );
    const teacher = answering(
      await trainPairs({
        ...shared,
        ...TEACHER,
        student: untrained,
        split: google.splits.train.withViews({ count: TEACHER.epochs, seed, options: VARIATION }),
        views: TEACHER.epochs,
        objective: [infoNce(0.04)],
        folder: join(folder, 'teacher-checkpoints'),
      }),
    );
    ship(join(folder, 'teacher'), teacher, google);
    results.teacher ??= await measure(teacher);
    const session = await engine.load(writeModel(teacher));
    try {
      const split = google.splits.train.withViews({ count: VIEWS, seed, options: VARIATION });
      let answers: PairAnswers | undefined;
      for (const { name, objective, taught } of STUDENTS) {
        if (results[name]) continue;
        log(`seed ${seed}: ${name}`);
        if (taught) answers ??= await askPairs(session, split);
        const student = pairModel(
          { text: { kind: 'text-conv' }, image: { kind: 'mobilenet-v3', size: 'tiny' } },
          tokenizer,
          seed,
        );
        if (taught) await startFromTeacher(student, session, google.splits.train);
        const trained = answering(
          await trainPairs({
            ...shared,
            ...STUDENT,
            student,
            split,
            views: VIEWS,
            objective,
            answers: taught ? answers : undefined,
            folder: join(folder, `${name}-checkpoints`),
          }),
        );
        ship(join(folder, name), trained, google);
        results[name] = await measure(trained);
        writeResults(folder, results);
      }
    } finally {
      await session.release();
    }
    writeResults(folder, results);
    return results;
  } finally {
    for (const dataset of [google, twitter]) dataset?.close();
  }

  function ship(to: string, model: Graph, { inputs }: PreparedDataset): void {
    const processor = inputs.find(({ name }) => name === 'image')!.processor;
    writeDualEncoder(to, {
      model,
      quantized: null,
      architecture: 'dual-encoder',
      width: WIDTH,
      logitScale: 20,
      vocabularySize: tokenizer.vocabularySize,
      padTokenId: tokenizer.padId,
      maxLength: MAX_LENGTH,
      dims: [3, 32, 32],
      files: [
        ...tokenizer.toShippedFiles(MAX_LENGTH),
        ...Object.entries(processor.files()).map(([name, bytes]) => ({ name, bytes })),
      ],
    });
  }
}

/** As a model answers once it is trained. */
function answering({ graph }: Student): Graph {
  return withOutputs(toEvaluationForm(graph), [TEXT_EMBEDS, IMAGE_EMBEDS]);
}

/** The group of each emoji, by its code points. */
async function groupsById(): Promise<Map<string, string>> {
  const opened = await source.open(source.options.parse({ skinTones: false }), {
    resolvePath: (path) => path,
    cacheFolder: '',
  });
  const groups = new Map<string, string>();
  for await (const row of opened.rows())
    if ('sample' in row) groups.set(`${row.sample.id}`, `${row.sample.values.label}`);
  return groups;
}

function readResults(folder: string): Record<string, Measured> {
  try {
    return JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Record<string, Measured>;
  } catch {
    return {};
  }
}

function writeResults(folder: string, results: Record<string, Measured>): void {
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
}
