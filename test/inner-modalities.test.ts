import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tone, wavFile } from '../src/data/modalities/audio/testing/wav-file.ts';
import { knowledgeGraphSchema } from '../src/knowledge/graph/knowledge-graph.ts';
import { checkRecipe } from '../src/recipe/parse.ts';
import { sampleDynamicsSchema } from '../src/report/sample-dynamics.ts';
import { distill } from '../src/run/distill.ts';
import { train } from '../src/run/train.ts';
import { patience } from './support/patience.ts';
import { writeClothes } from './support/small-clothes.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

const COLOURS = { red: '#d02020', green: '#20b040', blue: '#2040d0' };
const RATE = 8000;

beforeAll(async () => {
  const captions = ['file,caption'];
  for (const [colour, fill] of Object.entries(COLOURS))
    for (let side = 3; side < 12; side++) {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="${side}" height="8" fill="${fill}"/></svg>`;
      const file = `${captions.length}.png`;
      place.write(file, await sharp(Buffer.from(svg)).png().toBuffer());
      captions.push(`${file},a ${colour} square ${side} wide`);
    }
  place.write('captions.csv', `${captions.join('\n')}\n`);
  for (const [name, hz] of Object.entries({ low: 300, middle: 900, high: 2200 })) {
    mkdirSync(place.path('tones', name), { recursive: true });
    for (let i = 0; i < 14; i++)
      writeFileSync(place.path('tones', name, `${i}.wav`), wavFile(tone(hz + 5 * i, RATE, 0.256)));
  }
  writeClothes(place.path('clothes'));
});

const TRAINING = {
  epochs: 2,
  batchSize: 8,
  optimizer: { kind: 'adamw', learningRate: 0.01 },
  earlyStopping: false,
};
const PAIR = ['text_embeds', 'image_embeds'];

/** A frame for 160 samples. */
const HEARING = {
  ...{ kind: 'wav2vec2', heads: 2, feedForward: 16, channels: 8, kernels: [10, 8, 4], strides: [5, 8, 4] },
  ...{ positions: 4, positionGroups: 2, projection: 8 },
} as const;

/** What each kind of input and answer is: the recipe of its teacher, and what its student is taught beyond answers. */
const KINDS = {
  audio: {
    common: {
      task: 'audio-classification',
      data: { source: { kind: 'audio-folder', path: 'tones' }, splits: { validation: 6, test: 6 } },
      inputs: { audio: { modality: 'audio', field: 'audio', rate: RATE, seconds: 0.256 } },
    },
    teacher: { student: { ...HEARING, width: 8, layers: 2 } },
    student: {
      teacher: { kind: 'onnx-audio', model: 'runs/audio-teacher/student', precision: 'f32' },
      student: { ...HEARING, width: 6, layers: 2 },
      objective: [
        { kind: 'kd' },
        { kind: 'labels' },
        { kind: 'attention', weight: 0.1 },
        { kind: 'hidden', weight: 0.1 },
        { kind: 'similarity', weight: 0.1 },
        { kind: 'attribution', weight: 0.1 },
        { kind: 'boundary', weight: 0.1 },
      ],
      knowledge: { graph: { samples: 8 }, layers: 'graph' },
      mixed: { mixup: { part: 0.3, boundary: 0.5 } },
      training: {
        curriculum: { kind: 'teacher-confidence', start: 0.5, epochs: 1 },
        dynamics: { weigh: true },
      },
    },
  },
  boxes: {
    common: {
      task: 'object-detection',
      data: {
        source: {
          ...{ kind: 'scenes', path: 'clothes', size: 32, things: [1, 2], sides: [0.4, 0.6] },
          ...{ train: 32, validation: 8, test: 8 },
        },
      },
      inputs: { image: { modality: 'image', field: 'image' } },
      outputs: { boxes: { target: 'boxes', field: 'boxes', grid: [8, 8], width: 8 } },
    },
    teacher: { student: { kind: 'resnet', width: 8, stages: 2, blocks: 1, stride: 2 } },
    student: {
      teacher: { kind: 'onnx-image', model: 'runs/boxes-teacher/student', precision: 'f32' },
      student: { kind: 'resnet', width: 4, stages: 2, blocks: 1, stride: 2 },
      objective: [
        { kind: 'centreFocalKd', channels: [4, null] },
        { kind: 'centreSizesKd', weight: 0.1 },
        { kind: 'centreFocal', channels: [4, null] },
        { kind: 'features', weight: 0.1 },
        { kind: 'attribution', weight: 0.1 },
      ],
      knowledge: { graph: { samples: 8 }, layers: 'graph' },
      mixed: {},
      training: {},
    },
  },
  pairs: {
    common: {
      task: 'zero-shot-image-classification',
      data: {
        source: { kind: 'csv', path: 'captions.csv' },
        splits: { validation: 4, test: 6, seed: 3 },
        maxLength: 16,
        buckets: [16],
      },
      inputs: {
        text: { modality: 'text', field: 'caption' },
        image: { modality: 'image', field: 'file', size: 16 },
      },
      outputs: { pairs: { target: 'pairs', width: 8 } },
    },
    teacher: {
      student: {
        kind: 'dual-encoder',
        text: { kind: 'text-attention', width: 16, heads: 2, layers: 2 },
        image: { kind: 'resnet', width: 4, stages: 2, blocks: 1 },
      },
      objective: [{ kind: 'infoNce', outputs: PAIR, temperature: 0.1 }],
    },
    student: {
      teacher: { kind: 'onnx-pair', model: 'runs/pairs-teacher/student', precision: 'f32' },
      student: {
        kind: 'dual-encoder',
        text: { kind: 'text-attention', width: 8, heads: 2, layers: 1 },
        image: { kind: 'resnet', width: 4, stages: 2, blocks: 1 },
      },
      objective: [
        { kind: 'cosineKd', output: 'text_embeds' },
        { kind: 'cosineKd', output: 'image_embeds' },
        { kind: 'affinityKd', outputs: PAIR },
        { kind: 'infoNce', outputs: PAIR, temperature: 0.1 },
        { kind: 'attention', output: 'text_embeds', weight: 0.1 },
        { kind: 'hidden', output: 'text_embeds', weight: 0.1 },
        { kind: 'features', output: 'image_embeds', weight: 0.1 },
        { kind: 'attribution', output: 'image_embeds', weight: 0.1 },
      ],
      knowledge: {},
      mixed: {},
      training: { curriculum: { kind: 'dynamics', start: 0.5, epochs: 1 }, dynamics: { weigh: true } },
    },
  },
} as const;

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s', (kind) => {
  const { common, teacher, student } = KINDS[kind];
  const file = (...names: string[]) => readFileSync(place.path('runs', kind, ...names), 'utf8');

  test(
    'are distilled with all that is known of them',
    async () => {
      const base = { ...common, baseline: { epochs: 1 }, export: { int8: false }, store: 'store' };
      const name = `${kind}-teacher`;
      const options = { baseline: false };
      await train(
        checkRecipe({ ...base, ...teacher, name, training: TRAINING }),
        place.options(name, options),
      );
      const { mixed, training, ...inner } = student;
      const recipe = checkRecipe({
        ...base,
        ...inner,
        name: kind,
        data: { ...common.data, ...mixed },
        weighting: { kind: 'dynamic', every: 2 },
        training: { ...TRAINING, ...training },
      });
      const warnings: string[] = [];
      const result = await distill(
        recipe,
        place.options(kind, {
          ...options,
          onEvent: (event) => event.type === 'log' && event.level === 'warn' && warnings.push(event.message),
        }),
      );
      for (const value of Object.values(result.student.metrics)) expect(Number.isFinite(value)).toBe(true);
      expect(warnings.filter((message) => message.includes('knowledge graph'))).toEqual([]);
      const rows = file('metrics.jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, number>);
      const steps = rows.filter((row) => 'cause/divergence' in row);
      expect(steps.at(-1)?.['weighting/validation_loss']).toBeGreaterThan(0);
      for (const row of rows)
        for (const value of Object.values(row)) if (typeof value === 'number') expect(value).not.toBeNaN();
      if ('dynamics' in training)
        expect(sampleDynamicsSchema.parse(JSON.parse(file('dynamics.json'))).confidence).toBeGreaterThan(0);
      if ('graph' in inner.knowledge) {
        const graph = knowledgeGraphSchema.parse(JSON.parse(file('knowledge-graph.json')));
        expect(graph.layers.some(({ importance }) => importance > 0)).toBe(true);
      }
      expect(file('report.html')).toContain('<h1');
    },
    patience(60),
  );
});
