import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { clipGraphs } from '../src/export/clip-graphs.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { type RandomStream, randomStream } from '../src/random.ts';
import { bert } from '../src/students/bert.ts';
import { buildClassifier, buildStudent } from '../src/students/build-student.ts';
import { clip } from '../src/students/clip.ts';
import { findTarget, openHead } from '../src/targets/index.ts';
import type { AnyTarget } from '../src/targets/target.ts';
import { resnet152 } from './resnet-152.ts';

/** A teacher at full size with drawn weights, and data that it is asked about. */
export interface MadePair {
  /** Writes the teacher's folder, and the data, into a folder. */
  make(folder: string): Promise<void>;
  /** What the recipe of the pair's page says otherwise here: keys by their path. */
  readonly instead: Readonly<Record<string, unknown>>;
}

const ROWS = { train: 40, validation: 12, test: 12 };
const ALL = ROWS.train + ROWS.validation + ROWS.test;
const CLASSES = ['LABEL_0', 'LABEL_1'];
/** 40 samples, 8 a step, four epochs: 20 steps. */
const TRAINING = {
  'data.splits': { validation: ROWS.validation, test: ROWS.test },
  'training.batchSize': 8,
  'training.epochs': 4,
  'training.earlyStopping': false,
};
/** Of a teacher that knows nothing of the classes. */
const LOCAL = { model: 'teacher', precision: 'f32', atChance: 'warn' };

export const MADE_PAIRS: Readonly<Record<string, MadePair>> = {
  'resnet-mobilenet': {
    async make(folder) {
      writeTeacher(folder, resnet152(2, cheap('resnet')));
      writePreprocessor(folder);
      for (const label of CLASSES) mkdirSync(join(folder, 'photos', label), { recursive: true });
      for (let row = 0; row < ALL; row++)
        writeFileSync(join(folder, 'photos', CLASSES[row % 2] as string, `${row}.jpg`), await drawing(row));
    },
    instead: {
      ...TRAINING,
      teacher: { kind: 'onnx-image', ...LOCAL, labels: CLASSES },
    },
  },
  'bert-albert': {
    async make(folder) {
      const words = vocabulary(folder, 30_522);
      const options = bert.options.parse({ width: 1024, heads: 16, layers: 24, feedForward: 4096 });
      const inputs = { vocabularySize: words.length + 1, maxLength: 512, classes: 2, random: cheap('bert') };
      writeTeacher(folder, buildClassifier(bert, options, inputs).graph);
      const random = randomStream(1, 'texts');
      const rows = Array.from({ length: ALL }, (_, row) => ({
        text: Array.from({ length: 128 }, () => words[random.integer(words.length)]).join(' '),
        label: CLASSES[row % 2],
      }));
      writeFileSync(join(folder, 'texts.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    },
    instead: {
      ...TRAINING,
      teacher: { kind: 'onnx', ...LOCAL, train: 'none', labels: CLASSES },
    },
  },
  'clip-tinyclip': {
    async make(folder) {
      const words = vocabulary(folder, 49_408);
      const head = openHead({
        ...{ output: 'pair_embeds', target: findTarget('pairs') as AnyTarget, options: { width: 768 } },
        ...{ space: { width: 1536 }, labels: 'labels' },
      });
      const { graph } = buildStudent({
        backbone: clip,
        options: clip.options.parse({
          text: { width: 768, heads: 12, layers: 12 },
          image: { width: 1024, heads: 16, layers: 24, patch: 14 },
        }),
        inputs: {
          text: { vocabularySize: words.length + 1, maxLength: 77 },
          image: { channels: 3, height: 224, width: 224 },
        },
        heads: [head],
        random: cheap('clip'),
      });
      writeTeacher(folder, clipGraphs(graph, 100).model);
      writePreprocessor(folder);
      const random = randomStream(1, 'captions');
      const lines = ['file,caption'];
      for (let row = 0; row < ALL; row++) {
        writeFileSync(join(folder, `${row}.jpg`), await drawing(row));
        lines.push(
          `${row}.jpg,${Array.from({ length: 20 }, () => words[random.integer(words.length)]).join(' ')}`,
        );
      }
      writeFileSync(join(folder, 'captions.csv'), lines.join('\n'));
    },
    instead: {
      ...TRAINING,
      teacher: { kind: 'onnx-pair', model: 'teacher', precision: 'f32' },
    },
  },
};

/** Numbers of deviation 1, cheaper than normal ones: these teachers have up to 428 million weights. */
function cheap(label: string): RandomStream {
  const stream = randomStream(1, label);
  const width = Math.sqrt(12);
  return { ...stream, normal: () => (stream.uniform() - 0.5) * width };
}

function writeTeacher(folder: string, graph: Graph): void {
  mkdirSync(join(folder, 'teacher'), { recursive: true });
  writeModelFile(join(folder, 'teacher', 'model.onnx'), graph, { externalData: true });
}

/** Words of four letters, and a tokenizer that knows each as one token, beside one for all that is unknown. */
function vocabulary(folder: string, size: number): string[] {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const letter = (number: number, place: number) => letters[Math.floor(number / 26 ** place) % 26];
  const words = Array.from({ length: size - 1 }, (_, i) =>
    [3, 2, 1, 0].map((place) => letter(i, place)).join(''),
  );
  const tokenizer = {
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: {
      type: 'WordLevel',
      unk_token: '[UNK]',
      vocab: Object.fromEntries(['[UNK]', ...words].map((word, i) => [word, i])),
    },
  };
  mkdirSync(join(folder, 'teacher'), { recursive: true });
  writeFileSync(join(folder, 'teacher', 'tokenizer.json'), JSON.stringify(tokenizer));
  return words;
}

/** Beside the teacher, and where the recipe of the page has it. */
function writePreprocessor(folder: string): void {
  const size = { height: 224, width: 224 };
  const content = JSON.stringify({
    ...{
      image_processor_type: 'CLIPImageProcessor',
      do_resize: true,
      size: { shortest_edge: 224 },
      resample: 3,
    },
    ...{
      do_center_crop: true,
      crop_size: size,
      do_rescale: true,
      rescale_factor: 1 / 255,
      do_convert_rgb: true,
    },
    ...{ do_normalize: true, image_mean: [0.48, 0.46, 0.41], image_std: [0.27, 0.26, 0.28] },
  });
  for (const name of ['teacher/preprocessor_config.json', 'preprocessor_config.json'])
    writeFileSync(join(folder, name), content);
}

/** A made photo of 320 x 256 pixels. */
function drawing(row: number): Promise<Buffer> {
  const random = randomStream(row, 'drawing');
  const colour = () => `rgb(${[0, 1, 2].map(() => random.integer(256)).join(',')})`;
  const shapes = Array.from(
    { length: 12 },
    () =>
      `<circle cx="${random.integer(320)}" cy="${random.integer(256)}" r="${10 + random.integer(60)}" fill="${colour()}"/>`,
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="256"><rect width="320" height="256" fill="${colour()}"/>${shapes.join('')}</svg>`;
  return sharp(Buffer.from(svg)).jpeg().toBuffer();
}
