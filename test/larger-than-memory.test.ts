import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { tone, wavFile } from '../src/data/modalities/audio/testing/wav-file.ts';
import type { RunEvent } from '../src/events.ts';
import { openModelFile, writeModelFile } from '../src/onnx/node-files.ts';
import { foldBatchNorm } from '../src/onnx/passes/fold-batch-norm.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import { randomStream } from '../src/random.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import { distill } from '../src/run/distill.ts';
import { plan } from '../src/run/plan.ts';
import { audioConv } from '../src/students/audio-conv.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { vit } from '../src/students/vit.ts';
import { layeredModel } from '../src/teachers/testing/layered-model.ts';
import { patience } from './support/patience.ts';
import { writeClothes } from './support/small-clothes.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

const WORDS = Array.from({ length: 40 }, (_, i) => `${'bcdfghjk'[i % 8]}${'aeiou'[Math.floor(i / 8)]}`);

/** A folder with a teacher of four layers, and its tokenizer of words. */
function writeTeacher(folder: string, words: readonly string[]): void {
  const vocab = ['<unk>', ...words.map((word) => `▁${word}`)].map((piece, i) => [piece, -i / 100]);
  mkdirSync(place.path(folder));
  place.write(
    `${folder}/tokenizer.json`,
    JSON.stringify({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: { type: 'Unigram', unk_id: 0, vocab, byte_fallback: false },
    }),
  );
  place.write(`${folder}/tokenizer_config.json`, JSON.stringify({ model_max_length: 14 }));
  writeModelFile(
    place.path(folder, 'model.onnx'),
    layeredModel({ layers: 4, width: 32, vocabulary: 41, classes: 2 }),
  );
}

/** Two teachers that read words by other numbers, and 160 texts of 2 to 12 words. */
beforeAll(() => {
  writeTeacher('teacher', WORDS);
  writeTeacher('other', WORDS.toReversed());
  const random = randomStream(1, 'texts');
  const rows = Array.from({ length: 160 }, (_, row) => {
    const words = Array.from({ length: 2 + random.integer(11) }, () => WORDS[random.integer(40)]);
    return JSON.stringify({ text: words.join(' '), label: row % 2 === 0 ? 'LABEL_0' : 'LABEL_1' });
  });
  place.write('rows.jsonl', rows.join('\n'));
});

const LABELS = ['LABEL_0', 'LABEL_1'];

const recipeWith = (teacher: object, objective: object) =>
  parseRecipe(
    stringify({
      name: 'large',
      data: {
        source: { kind: 'jsonl', path: 'rows.jsonl' },
        splits: { validation: 30, test: 30 },
        maxLength: 14,
        buckets: [8, 14],
      },
      teacher: { precision: 'f32', atChance: 'warn', ...teacher },
      student: { kind: 'bert', layers: 2, width: 16, heads: 2 },
      objective,
      training: { epochs: 1, batchSize: 16 },
      export: { int8: false },
    }),
  );

const recipe = (memory?: string) =>
  recipeWith(
    { kind: 'onnx', model: 'teacher', labels: LABELS, ...(memory && { memory }) },
    { kd: { weight: 0.8 }, hidden: { weight: 0.2 } },
  );

/** Two teachers with tokenizers of their own, of which the second sets a bound for both. */
const severalRecipe = (memory?: string) =>
  recipeWith(
    {
      kind: 'several',
      teachers: [
        { kind: 'onnx', model: 'teacher', labels: LABELS },
        { kind: 'onnx', model: 'other', labels: LABELS, ...(memory && { memory }) },
      ],
      weights: 'validation',
    },
    { kd: { weight: 1 } },
  );

/** More than the largest layer takes with its values, less than two do: the weights have 208 kB. */
const MEMORY = '1.2 MB';

test(
  'a teacher in parts teaches the same student, bit by bit, as one that is loaded whole',
  async () => {
    const events: RunEvent[] = [];
    const run = (name: string, memory?: string) =>
      distill(
        recipe(memory),
        place.options(name, {
          storeFolder: place.path(`store-${name}`),
          baseline: false,
          onEvent: (event) => events.push(event),
        }),
      );
    const whole = await run('whole');
    events.length = 0;
    const parts = await run('parts', MEMORY);
    expect(parts.metrics).toEqual(whole.metrics);
    expect(parts.teacher?.metrics).toEqual(whole.teacher?.metrics);
    const files = ['whole', 'parts'].map((name) =>
      readFileSync(place.path('runs', name, 'student', 'onnx', 'model.onnx')),
    );
    expect(files[1]?.equals(files[0] as Buffer)).toBe(true);
    const told = events.flatMap((event) => (event.type === 'log' ? [event.message] : []));
    expect(told).toContainEqual(expect.stringMatching(/^the teacher runs in [2-9] parts of .* of weights/));
    expect(events.some((event) => event.type === 'progress' && /^part 2 of/.test(event.note ?? ''))).toBe(
      true,
    );
    // What lay between the parts is gone, and so are they.
    expect(readdirSync(place.path('runs', 'parts', 'teacher'))).toEqual(['model.onnx']);
  },
  patience(120),
);

test(
  'several teachers in parts teach the same student, bit by bit, also when they were interrupted between parts',
  async () => {
    const notes: string[] = [];
    const run = (name: string, memory?: string, stopAt?: RegExp) => {
      const stop = new AbortController();
      return distill(
        severalRecipe(memory),
        place.options(name, {
          storeFolder: place.path(`store-${name}`),
          baseline: false,
          timingSeconds: 0,
          signal: stop.signal,
          onEvent(event) {
            if (event.type === 'log') notes.push(event.message);
            if (event.type === 'progress' && stopAt?.test(event.note ?? '')) stop.abort();
          },
        }),
      );
    };
    const whole = await run('both-whole');
    await expect(run('both-parts', MEMORY, /^part 3 of/)).rejects.toMatchObject({ code: 'run.interrupted' });
    notes.length = 0;
    const parts = await run('both-parts', MEMORY);
    expect(notes).toContainEqual(expect.stringMatching(/^going on with 100 samples .*, at part [34] of 4/));
    expect(parts.metrics).toEqual(whole.metrics);
    expect(parts.teachers).toEqual(whole.teachers);
    const files = ['both-whole', 'both-parts'].map((name) =>
      readFileSync(place.path('runs', name, 'student', 'onnx', 'model.onnx')),
    );
    expect(files[1]?.equals(files[0] as Buffer)).toBe(true);
    const left = readdirSync(place.path('runs', 'both-parts', 'teacher'));
    expect(left.toSorted()).toEqual(['members.onnx', 'model.onnx']);
    const { stages } = await plan(
      severalRecipe(MEMORY),
      place.options('both-planned', { storeFolder: place.path('store-both-planned') }),
    );
    expect(stages.find(({ stage }) => stage === 'label')?.note).toMatch(/the teacher runs in [3-9] parts of/);
    const written = left.map((name) => statSync(place.path('runs', 'both-parts', 'teacher', name)).size);
    const planned = stages.find(({ stage }) => stage === 'teacher')?.diskBytes as number;
    expect(planned / (written[0]! + written[1]!)).toBeCloseTo(1, 1);
  },
  patience(120),
);

const GREY = { channels: 1, height: 28, width: 28 };
const RATE = 8000;

/** A teacher that is cut into parts, and what its student is taught, by what both read. */
const MODALITIES = {
  images: {
    task: 'image-classification',
    inputs: { image: { modality: 'image', field: 'image' } },
    data: { source: { kind: 'fashion-mnist', path: 'clothes' }, splits: { train: 40, validation: 16 } },
    teacher: { kind: 'onnx-image', memory: '8MB' },
    student: { kind: 'vit', width: 16, heads: 2, layers: 2, patch: 7 },
    objective: { kd: { weight: 0.8 }, hidden: { weight: 0.2 } },
    model: () =>
      buildClassifier(vit, vit.options.parse({ width: 128, layers: 6, patch: 7 }), {
        ...{ ...GREY, classes: 10, random: randomStream(3, 'teacher') },
      }),
  },
  audio: {
    task: 'audio-classification',
    inputs: { audio: { modality: 'audio', field: 'audio', rate: RATE, seconds: 0.256 } },
    data: { source: { kind: 'audio-folder', path: 'tones' }, splits: { validation: 12, test: 12 } },
    teacher: { kind: 'onnx-audio', memory: '22MB' },
    student: { kind: 'audio-conv', width: 8, blocks: 2 },
    objective: { kd: { weight: 0.8 }, hidden: { weight: 0.2 } },
    model: () =>
      buildClassifier(
        audioConv as never,
        audioConv.options.parse({ width: 320, blocks: 6 }) as never,
        {
          ...{ samplingRate: RATE, samples: 2048, classes: 2, random: randomStream(3, 'teacher') },
        } as never,
      ),
  },
} as const;

test.each(Object.keys(MODALITIES) as (keyof typeof MODALITIES)[])(
  'a teacher of %s in parts teaches the same student, too',
  async (name) => {
    const { model, teacher, ...rest } = MODALITIES[name];
    writeClothes(place.path('clothes'));
    for (const [label, hz] of Object.entries({ low: 300, high: 2000 })) {
      mkdirSync(place.path('tones', label), { recursive: true });
      for (let i = 0; i < 24; i++)
        writeFileSync(place.path('tones', label, `${i}.wav`), wavFile(tone(hz + 5 * i, RATE, 0.256)));
    }
    mkdirSync(place.path(`${name}-teacher`));
    const file = place.path(`${name}-teacher`, 'model.onnx');
    writeModelFile(file, foldBatchNorm(toEvaluationForm(model().graph)));
    const students: Buffer[] = [];
    const told: string[] = [];
    for (const memory of [undefined, teacher.memory]) {
      const run = `${name}-${memory ?? 'whole'}`;
      const { kind } = teacher;
      const own = { kind, model: file, precision: 'f32', atChance: 'warn', ...(memory && { memory }) };
      const labels = name === 'audio' ? ['high', 'low'] : undefined;
      const wanted = {
        ...{ ...rest, name: run, teacher: { ...own, ...(labels && { labels }) } },
        ...{ training: { epochs: 1, batchSize: 8, earlyStopping: false }, export: { int8: false } },
      };
      await distill(
        parseRecipe(stringify(wanted)),
        place.options(run, {
          storeFolder: place.path(`store-${run}`),
          baseline: false,
          timingSeconds: 0,
          onEvent: (event) => {
            if (event.type === 'log') told.push(event.message);
          },
        }),
      );
      students.push(readFileSync(place.path('runs', run, 'student', 'onnx', 'model.onnx')));
    }
    expect(told).toContainEqual(expect.stringMatching(/^the teacher runs in [2-9] parts of .* of weights/));
    expect(students[1]?.equals(students[0] as Buffer)).toBe(true);
  },
  patience(120),
);

test(
  'a plan tells the parts, and what lies between them',
  async () => {
    const { stages } = await plan(
      recipe(MEMORY),
      place.options('planned', { storeFolder: place.path('store-planned') }),
    );
    const label = stages.find(({ stage }) => stage === 'label');
    expect(label?.note).toMatch(
      /the teacher runs in [2-9] parts of .*; up to [\d.]+ kB between them on the disk meanwhile/,
    );
    expect(label?.diskBytes).toBeGreaterThan(10_000);
    expect(stages.find(({ stage }) => stage === 'teacher')?.diskBytes).toBe(
      statSync(place.path('teacher', 'model.onnx')).size + teacherOverhead(),
    );
  },
  patience(60),
);

/** The teacher of a run is another file: its inputs have the names that Limbeck gives them. */
function teacherOverhead(): number {
  const [own] = ['whole'].map((name) => statSync(place.path('runs', name, 'teacher', 'model.onnx')).size);
  return (own as number) - statSync(place.path('teacher', 'model.onnx')).size;
}

test('a bound that no layer fits names the layer, before anything is asked', async () => {
  await expect(distill(recipe('20kB'), place.options('small'))).rejects.toMatchObject({
    code: 'teacher.memory',
    where: expect.stringMatching(/^node '.*' \(\w+\): \d+ bytes of weights/),
    remedy: expect.stringMatching(/^Set teacher.memory to \d+ or more/),
  });
  expect(openModelFile(place.path('teacher', 'model.onnx')).graph.outputs).toHaveLength(1);
});
