import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  distill,
  examineRecipe,
  LimbeckError,
  parseRecipe,
  plan,
  type Recipe,
  type RunEvent,
  type RunOptions,
  train,
} from '../src/index.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { randomStream } from '../src/random.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const SIDE = 8;
const place = new RunPlace();

/** Big-endian numbers, as IDX heads have them. */
const head = (...numbers: number[]) =>
  Buffer.concat(
    numbers.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );

/** Images whose class is the half that is bright, with noise. */
function pictures(count: number, seed: number): { images: Buffer; labels: Buffer } {
  const random = randomStream(seed, 'pictures');
  const pixels = Buffer.alloc(count * SIDE * SIDE);
  const labels = Buffer.alloc(count);
  for (let i = 0; i < count; i++) {
    const top = random.integer(2) === 0;
    labels[i] = top ? 0 : 1;
    for (let p = 0; p < SIDE * SIDE; p++) {
      const bright = p < (SIDE * SIDE) / 2 === top;
      pixels[i * SIDE * SIDE + p] = (bright ? 110 : 90) + random.integer(80);
    }
  }
  return {
    images: Buffer.concat([head(0x803, count, SIDE, SIDE), pixels]),
    labels: Buffer.concat([head(0x801, count), labels]),
  };
}

function recipe(name: string, student: string, rest = '', data = '') {
  return parseRecipe(`
name: ${name}
task: image-classification
data:
  source: { kind: idx, path: pictures, classes: [top, bottom] }
  splits: { validation: 40 }
  augmentation: { crop: 1, views: 2 }
${data}${rest}
student: ${student}
training: { epochs: 14, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.01 }, evaluateEvery: 4, earlyStopping: false }
baseline: { epochs: 1 }
export: { int8: { maxDrop: 0.5 } }
`);
}

const teacher = recipe('teacher', '{ kind: resnet, width: 8, stages: 2, blocks: 1 }');

beforeAll(() => {
  mkdirSync(place.path('pictures'));
  for (const [part, count] of [
    ['train', 200],
    ['t10k', 60],
  ] as const) {
    const { images, labels } = pictures(count, count);
    writeFileSync(place.path('pictures', `${part}-images-idx3-ubyte.gz`), gzipSync(images));
    writeFileSync(place.path('pictures', `${part}-labels-idx1-ubyte`), labels);
  }
});
afterAll(() => place.remove());

describe('a calibration', () => {
  it('is made by the doctor, and found by the plan of a long training', async () => {
    const told = async (file: Recipe, options: RunOptions) => {
      const findings = await examineRecipe(file, { ...options, calibrate: true });
      return findings.find(({ name }) => name === 'calibration')?.found;
    };
    expect(await told(teacher, place.options('doctor'))).toMatch(/^\d kinds of convolutions measured/);
    const folder = place.path('store', 'calibrations');
    const [file] = readdirSync(folder) as [string];
    const before = readFileSync(`${folder}/${file}`, 'utf8');
    const long = recipe('long', '{ kind: resnet, width: 8, stages: 2, blocks: 1 }');
    await plan({ ...long, training: { ...long.training, epochs: 200 } }, place.options('long'));
    expect(readdirSync(folder)).toEqual([file]);
    expect(readFileSync(`${folder}/${file}`, 'utf8')).toBe(before);
    // Its student has others.
    const other = recipe('other', '{ kind: resnet, width: 4, stages: 1, blocks: 1 }');
    await plan({ ...other, training: { ...other.training, epochs: 200 } }, place.options('other'));
    expect(readdirSync(folder)).toHaveLength(2);
    await plan(recipe('short', '{ kind: resnet, width: 6, stages: 1, blocks: 1 }'), place.options('short'));
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

describe('images', () => {
  it('train a teacher, which teaches a student; both are told apart from chance', {
    timeout: patience(120),
  }, async () => {
    const trained = await train(teacher, place.options('teacher'));
    expect(trained.student.accuracy).toBeGreaterThan(0.9);
    const student = recipe(
      'student',
      // Few steps: with the default momentum its running statistics would stay near what they began at.
      '{ kind: mobilenet-v3, size: tiny, width: 0.25, momentum: 0.9 }',
      'teacher: { kind: onnx-image, model: runs/teacher/student/onnx/model.onnx }',
    );
    const result = await distill(student, place.options('student'));
    expect(result.teacher?.accuracy).toBe(trained.student.accuracy);
    expect(result.student.accuracy).toBeGreaterThan(0.7);
    expect(result.studentInt8?.int8Share).toBe(1);
    expect(trained.student.int8Share).toBeUndefined();
    // 160 images in two views, each asked about once.
    expect(result.teacherCalls).toBeLessThanOrEqual(320);
    expect(result.teacherCalls).toBeGreaterThan(160);
    const folder = place.path('runs', 'student');
    expect(JSON.parse(readFileSync(`${folder}/student/preprocessor_config.json`, 'utf8'))).toMatchObject({
      size: { height: SIDE, width: SIDE },
    });
    const page = readFileSync(`${folder}/report.html`, 'utf8');
    // What a plan says of a run is what the run then is: of one that was done, that its answers are there.
    const { stages, store } = await plan(student, place.options('student'));
    expect(stages.map(({ stage }) => stage)).toEqual([
      'data',
      'teacher',
      'label',
      'peer',
      'train',
      'baseline',
      'export',
      'evaluate',
      'report',
    ]);
    expect(store).toMatchObject({ missing: 0, present: 320 + 60 });
    expect(stages.find(({ stage }) => stage === 'train')?.note).toBe(`${14 * 5} steps`);
    expect(page).toContain('Computed in int8');
    expect(page).toContain('test images');
    expect(page).not.toContain('test texts');
    // No batch normalisation is left in what ships.
    const shipped = readModelFile(`${folder}/student/onnx/model.onnx`);
    expect(shipped.nodes.map(({ opType }) => opType)).not.toContain('BatchNormalization');
    expect([...shipped.initializers.keys()].filter(({ name }) => name.includes('running_'))).toEqual([]);
  });

  it('near the boundary are mixed, and attacked: the teacher answers what they are, once', {
    timeout: patience(120),
  }, async () => {
    const taught = recipe(
      'added',
      '{ kind: resnet, width: 4, stages: 2, blocks: 1 }',
      'teacher: { kind: onnx-image, model: runs/teacher/student/onnx/model.onnx }\nobjective: { kd: { weight: 0.9 }, attribution: { weight: 0.1 } }',
      '  mixup: { part: 0.5, boundary: 0.8 }\n  adversarial: { part: 0.25, method: pgd, epsilon: 0.1, steps: 3 }\n',
    );
    const told: string[] = [];
    const options = {
      ...place.options('added'),
      onEvent: (event: RunEvent) => event.type === 'stage-end' && told.push(event.summary),
    };
    const result = await distill(taught, options);
    expect(result.student.accuracy).toBeGreaterThan(0.7);
    // Both look at the half that is bright; the baseline has hardly learnt.
    expect(result.student.attributionCosine).toBeGreaterThan(result.baseline?.attributionCosine as number);
    // 160 images in two views: half as many mixtures, a quarter attacked.
    expect(told.find((summary) => summary.includes('labelled'))).toMatch(
      /160 mixtures added; 80 adversarial added/,
    );
    rmSync(place.path('runs', 'added', 'result.json'));
    rmSync(place.path('runs', 'added', 'checkpoints'), { recursive: true });
    told.length = 0;
    const again = await distill(taught, options);
    expect(told.find((summary) => summary.includes('labelled'))).toMatch(
      /^0 images labelled.* 80 adversarial added/,
    );
    expect(again.student.accuracy).toBe(result.student.accuracy);
  });

  it.each([
    [
      'a label that there is no class for',
      't10k-labels-idx1-ubyte',
      (bytes: Buffer) => bytes.fill(9, 20, 21),
      /label 9 at 12/,
    ],
    ['a file cut short', 't10k-labels-idx1-ubyte', (bytes: Buffer) => bytes.subarray(0, 30), /ends/],
    [
      'another kind of file',
      't10k-labels-idx1-ubyte',
      (bytes: Buffer) => bytes.fill(1, 0, 4),
      /does not begin/,
    ],
  ])('are refused with %s', async (_what, file, damage, message) => {
    const path = place.path('pictures', file);
    const sound = readFileSync(path);
    writeFileSync(path, damage(Buffer.from(sound)));
    try {
      const error = await train(teacher, place.options('damaged')).then(
        () => undefined,
        (cause: unknown) => cause,
      );
      expect(error).toBeInstanceOf(LimbeckError);
      expect(error).toMatchObject({ code: 'data.damaged', message: expect.stringMatching(message) });
      expect((error as LimbeckError).where).toContain(file);
    } finally {
      writeFileSync(path, sound);
    }
  });

  it('have the classes of their source: a recipe that says otherwise is refused', async () => {
    const { data, ...rest } = teacher;
    const other = { ...rest, data: { ...data, labels: [...'9876543210'] } };
    await expect(train(other, place.options('other-labels'))).rejects.toMatchObject({
      code: 'data.options',
      where: expect.stringContaining('data.labels'),
    });
  });

  it('and texts do not mix in a recipe', () => {
    expect(() => recipe('mixed', '{ kind: text-conv }')).toThrow(
      /student.kind.*'text-conv' reads text, a recipe of image-classification reads image/,
    );
  });
});
