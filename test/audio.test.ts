import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pipeline } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tone, wavFile } from '../src/data/modalities/audio/testing/wav-file.ts';
import { check, distill, parseRecipe, plan, type RunEvent, train } from '../src/index.ts';
import { fileHash } from './support/file-hash.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const RATE = 8000;
const place = new RunPlace();
const CLASSES = { low: 300, middle: 900, high: 2200 };

function recipe(name: string, student: string, rest = '') {
  return parseRecipe(`
name: ${name}
task: audio-classification
data:
  source: { kind: audio-folder, path: tones }
  splits: { validation: 30, test: 30 }
  augmentation: { shift: 0.05, noise: [10, 30], gain: [-6, 6], views: 2 }
inputs: { audio: { modality: audio, field: audio, rate: ${RATE}, seconds: 0.256 } }
student: ${student}
training: { epochs: 8, batchSize: 16, optimizer: { kind: adamw, learningRate: 0.01 }, earlyStopping: false, checkpointEvery: 0.2 }
baseline: { epochs: 1 }
export: { int8: { maxDrop: 0.5 } }
${rest}`);
}

beforeAll(() => {
  for (const [name, hz] of Object.entries(CLASSES)) {
    mkdirSync(place.path('tones', name), { recursive: true });
    for (let i = 0; i < 50; i++) {
      // Files of every kind: rates, bits, channels, lengths.
      const rate = [RATE, 22_050, 16_000][i % 3] as number;
      const sound = tone(hz + 2 * i, rate, 0.15 + 0.004 * i);
      const options = { rate, channels: 1 + (i % 2), bits: ([8, 16, 24] as const)[i % 3] as 8 };
      writeFileSync(place.path('tones', name, `${i}.wav`), wavFile(sound, options));
    }
  }
  const sample = (name: string) =>
    fileURLToPath(new URL(`../src/data/modalities/audio/testing/files/${name}`, import.meta.url));
  copyFileSync(sample('tone.flac'), place.path('tones', 'low', 'right.flac'));
  copyFileSync(sample('tone.ogg'), place.path('tones', 'low', 'wrong-ending.wav'));
  copyFileSync(sample('hour.flac'), place.path('tones', 'low', 'hour.flac'));
  place.write('tones/low/text.wav', 'this is a letter');
  place.write('tones/low/empty.wav', '');
  place.write('tones/low/cut.wav', wavFile(tone(300, RATE, 1)).subarray(0, 900));
});
afterAll(() => place.remove());

describe('audio', () => {
  it('trains a teacher, which teaches a student that transformers.js hears with', {
    timeout: patience(120),
  }, async () => {
    const trained = await train(
      recipe('teacher', '{ kind: audio-conv, width: 16, blocks: 2 }'),
      place.options('teacher'),
    );
    expect(trained.student.accuracy).toBeGreaterThan(0.9);
    const broken = readFileSync(place.path('runs', 'teacher', 'broken-rows.jsonl'), 'utf8');
    expect(broken.trim().split('\n')).toHaveLength(4);
    expect(broken).toMatch(/may last 60 seconds, and lasts more/);
    expect(broken).toMatch(/is empty/);
    expect(broken).toMatch(/cut off/);

    const student = recipe(
      'student',
      '{ kind: audio-conv, width: 8, blocks: 1 }',
      'teacher: { kind: onnx-audio, model: runs/teacher/student, precision: f32 }',
    );
    const result = await distill(student, place.options('student'));
    expect(result.teacher?.accuracy).toBe(trained.student.accuracy);
    expect(result.student.accuracy).toBeGreaterThan(0.7);
    expect(result.baselines?.map(({ name }) => name)).toContain('labels');
    const folder = place.path('runs', 'student');
    expect(readFileSync(`${folder}/report.html`, 'utf8')).toContain('test clips');
    expect(readFileSync(`${folder}/student/README.md`, 'utf8')).toContain("pipeline('audio-classification'");

    const { store } = await plan(student, place.options('student'));
    expect(store?.missing).toBe(0);
    const classify = await pipeline('audio-classification', `${folder}/student`, {
      dtype: 'fp32',
      local_files_only: true,
    });
    const [answer] = (await classify(tone(2250, RATE, 0.3), { top_k: 1 })) as { label: string }[];
    expect(answer?.label).toBe('high');
    await classify.dispose();
  });

  it('goes on in the same bits after it was stopped: labelling, training, and in another epoch of views', {
    timeout: patience(120),
  }, async () => {
    const student = recipe(
      'student',
      '{ kind: audio-conv, width: 8, blocks: 1 }',
      'teacher: { kind: onnx-audio, model: runs/teacher/student, precision: f32 }',
    );
    const stopsAt = [
      ['label', 1],
      ['train', 9],
      ['train', 30],
    ] as const;
    const resumed = { baseline: false, storeFolder: place.path('store-of-resumed') };
    for (const [stage, done] of stopsAt) {
      const stop = new AbortController();
      const onEvent = (event: RunEvent) => {
        if (event.type === 'progress' && event.stage === stage && event.done >= done) stop.abort();
      };
      await expect(
        distill(student, place.options('resumed', { ...resumed, signal: stop.signal, onEvent })),
      ).rejects.toMatchObject({ code: 'run.interrupted' });
    }
    await distill(student, place.options('resumed', resumed));
    const model = (run: string) => fileHash(place.path('runs', run, 'student', 'onnx', 'model.onnx'));
    expect(model('resumed')).toBe(model('student'));
  });

  it('has classes of frames', { timeout: patience(120) }, async () => {
    // A second of noise, in which a tone begins somewhere.
    mkdirSync(place.path('frames'), { recursive: true });
    const rows = Array.from({ length: 120 }, (_, i) => {
      const begins = 1 + (i % 14);
      const sound = tone(700, RATE, 0.512).map((value, t) =>
        t < begins * 256 ? 0.001 * ((t * 7919) % 13) : value,
      );
      writeFileSync(place.path('frames', `${i}.wav`), wavFile(sound));
      const speech = Array.from({ length: 16 }, (_, frame) => (frame < begins ? 0 : 1));
      return JSON.stringify({ audio: `${i}.wav`, speech });
    });
    place.write('frames/rows.jsonl', rows.join('\n'));
    const frames = parseRecipe(`
name: frames
task: audio-frame-classification
data: { source: { kind: jsonl, path: frames/rows.jsonl }, splits: { validation: 20, test: 20, stratified: false } }
inputs: { audio: { modality: audio, field: audio, rate: ${RATE}, seconds: 0.512 } }
outputs: { logits: { target: frame-classes, field: speech } }
student: { kind: audio-conv, width: 8, blocks: 1, halvings: 1, level: clip }
training: { epochs: 10, batchSize: 16, optimizer: { kind: adamw, learningRate: 0.01 } }
`);
    const result = await train(frames, place.options('frames'));
    expect(result.student.metrics.frameAuroc).toBeGreaterThan(0.95);
    expect(result.studentInt8?.metrics.frameAuroc).toBeGreaterThan(0.9);
  });

  it('is checked before anything is trained', { timeout: patience(60) }, async () => {
    const found = await check(recipe('teacher', '{ kind: audio-conv }'), place.options('checked'));
    expect(JSON.stringify(found)).toContain('misnamed');
  });

  it('of another rate than the teacher hears is refused', { timeout: patience(60) }, async () => {
    const other = parseRecipe(`
name: other
task: audio-classification
data: { source: { kind: audio-folder, path: tones } }
inputs: { audio: { modality: audio, field: audio, rate: 16000, seconds: 0.256 } }
teacher: { kind: onnx-audio, model: runs/teacher/student }
student: { kind: audio-conv, width: 8 }
`);
    await expect(distill(other, place.options('other'))).rejects.toMatchObject({
      code: 'teacher.inputs',
      message: expect.stringContaining('8000 samples a second'),
    });
  });
});
