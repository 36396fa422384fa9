import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Batch } from '../../data/batch.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import { openModelFile, writeModelFile } from '../../onnx/node-files.ts';
import { foldBatchNorm } from '../../onnx/passes/fold-batch-norm.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import { float32 } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import type { Backbone } from '../../students/backbone.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { BACKBONES } from '../../students/index.ts';
import type { KnowledgeRequest } from '../knowledge-request.ts';
import { createOnnxTeacher } from '../onnx-teacher.ts';
import { tapTeacher } from '../tap-teacher.ts';
import type { Teacher } from '../teacher.ts';

// Teachers of images and of sounds, cut into parts: what goes between them is no sequence of tokens.

const engine = createNodeEngine({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'limbeck-parts-by-modality-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ROWS = 4;
const IMAGES = { channels: 3, height: 16, width: 16 };
const SOUNDS = { samplingRate: 8000, samples: 2048 };

const TEACHERS: readonly (readonly [kind: string, options: object, memory: number])[] = [
  ['resnet', { width: 8, stages: 3, blocks: 2 }, 180_000],
  ['resnet', { width: 8, stages: 2, blocks: 1, bottleneck: true }, 400_000],
  ['mobilenet-v3', { size: 'tiny' }, 300_000],
  ['vit', { width: 16, heads: 2, layers: 4, patch: 4 }, 60_000],
  ['audio-conv', { width: 96, blocks: 6 }, 1_300_000],
];

/** Batches of noise, the last one short. */
function batches(input: string, dims: readonly number[]): Batch[] {
  const random = randomStream(1, 'noise');
  const size = dims.reduce((product, dim) => product * dim, 1);
  return [ROWS, ROWS, 3].map((filled, at) => ({
    rows: ROWS,
    filled,
    keys: Uint8Array.from({ length: 16 * filled }, (_, i) => (i % 16 === 0 ? at * ROWS + i / 16 : 7)),
    ordinals: Uint32Array.from({ length: ROWS }, (_, i) => at * ROWS + i),
    sizes: {},
    columns: {
      [input]: float32(
        Array.from({ length: ROWS * size }, () => random.normal()),
        [ROWS, ...dims],
      ),
    },
  }));
}

it.each(TEACHERS)('%s %j answers in parts as the whole model does', async (kind, options, memory) => {
  const backbone = BACKBONES.find((one) => one.kind === kind) as unknown as Backbone;
  const isSound = (backbone.accepts as readonly string[]).includes('audio');
  const { graph } = buildClassifier(backbone, backbone.options.parse(options), {
    ...(isSound ? SOUNDS : IMAGES),
    classes: 3,
    random: randomStream(2, kind),
  } as never);
  const path = join(mkdtempSync(join(folder, 'model-')), 'model.onnx');
  writeModelFile(path, foldBatchNorm(toEvaluationForm(graph)));
  const opened = openModelFile(path, 256).graph;
  const inner = describeModel(opened).layers.flatMap(({ hidden, features, attention }) =>
    [hidden?.name, features?.name, attention?.probabilities].filter((name) => name !== undefined),
  );
  expect(inner.length).toBeGreaterThan(0);
  const taps = ['logits', ...inner];
  const requests = taps.map((tap): KnowledgeRequest => ({ tap, build: (_, of) => of.value(tap) }));
  const [input, dims] = isSound
    ? ['input_values', [SOUNDS.samples]]
    : ['pixel_values', [IMAGES.channels, IMAGES.height, IMAGES.width]];
  const bound = {
    memory,
    rows: ROWS,
    length: 1,
    folder: join(path, '..'),
    samples: new Map([[input, dims]]),
  };
  const open = (inParts: boolean) =>
    createOnnxTeacher({
      ...{ engine, model: tapTeacher(opened, requests).graph, title: 'the teacher', preprocessing: 'none' },
      ...{ hash: 'h', columns: [input], ...(inParts && { bound }) },
    });
  const [whole, parted] = [await open(false), await open(true)];
  expect(parted.parts?.parts.length).toBeGreaterThan(2);
  const asked = batches(input, dims);
  const expected: Answers[] = [];
  for (const batch of asked) expected.push(copied(await whole.label(batch, taps)));
  // ONNX Runtime lays channels in blocks, and which values have that form ends at a cut: a mean over places can be added up in
  // another order there.
  requireClose(await together(parted, asked, taps), expected);
  const alone = copied(await parted.label(asked[2] as Batch, ['logits']));
  requireClose([alone], [{ logits: expected[2]?.logits as number[] }]);
  await parted.close();
  await whole.close();
});

type Answers = Record<string, number[]>;

/** A copy: what a session gives may be written over by its next run. */
function copied(said: Record<string, Float32Array>): Answers {
  return Object.fromEntries(Object.entries(said).map(([tap, values]) => [tap, [...values]]));
}

function requireClose(found: readonly Answers[], expected: readonly Answers[]): void {
  expect(found.length).toBe(expected.length);
  for (const [at, answers] of expected.entries()) {
    expect(Object.keys(found[at] as Answers)).toEqual(Object.keys(answers));
    for (const [tap, values] of Object.entries(answers)) {
      const others = found[at]?.[tap] as number[];
      expect(others.length).toBe(values.length);
      const most = Math.max(...values.map(Math.abs));
      const difference = Math.max(...values.map((value, i) => Math.abs(value - (others[i] as number))));
      expect(difference, tap).toBeLessThan(1e-6 * most);
    }
  }
}

async function together(teacher: Teacher, asked: readonly Batch[], taps: readonly string[]) {
  const all: Answers[] = [];
  for await (const [, said] of teacher.labelAll!(asked, taps)) all.push(copied(said));
  return all;
}
