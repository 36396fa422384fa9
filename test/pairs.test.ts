import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { draftRecipe } from '../src/cli/init/draft.ts';
import { proposeSource } from '../src/cli/init/propose.ts';
import { checkRecipe, parseRecipe } from '../src/recipe/parse.ts';
import { check } from '../src/run/check.ts';
import { distill } from '../src/run/distill.ts';
import { evaluate } from '../src/run/evaluate.ts';
import { plan } from '../src/run/plan.ts';
import { train } from '../src/run/train.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

const COLOURS = { red: '#d02020', green: '#20b040', blue: '#2040d0', yellow: '#e0d020', black: '#101010' };
const PLACES = { 'top left': [0, 0], 'top right': [8, 0], 'bottom left': [0, 8], 'bottom right': [8, 8] };
const SIZES = { small: 4, large: 8 };

// Squares of five colours, four places and two sizes, and what they are called.
beforeAll(async () => {
  const rows = ['file,caption'];
  for (const [colour, fill] of Object.entries(COLOURS))
    for (const [where, [x, y]] of Object.entries(PLACES))
      for (const [size, side] of Object.entries(SIZES)) {
        const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="16" height="16" fill="#fff"/><rect x="${x}" y="${y}" width="${side}" height="${side}" fill="${fill}"/></svg>`;
        const file = `${rows.length}.png`;
        place.write(file, await sharp(Buffer.from(svg)).png().toBuffer());
        rows.push(`${file},a ${size} ${colour} square at the ${where}`);
      }
  place.write('captions.csv', `${rows.join('\n')}\n`);
});

const recipeOf = (name: string, more: Record<string, unknown>) =>
  checkRecipe({
    name,
    task: 'zero-shot-image-classification',
    inputs: {
      text: { modality: 'text', field: 'caption' },
      image: { modality: 'image', field: 'file', size: 16 },
    },
    outputs: { pairs: { target: 'pairs', width: 16 } },
    data: {
      source: { kind: 'csv', path: 'captions.csv' },
      splits: { validation: 8, test: 12, seed: 3 },
      maxLength: 16,
      buckets: [16],
    },
    student: {
      kind: 'dual-encoder',
      text: { kind: 'text-conv', embedding: 8, width: 8 },
      image: { kind: 'mobilenet-v3', size: 'tiny', width: 0.25 },
      ...((more.student as object) ?? {}),
    },
    objective: more.objective ?? [
      { kind: 'infoNce', outputs: ['text_embeds', 'image_embeds'], temperature: 0.1 },
    ],
    ...(more.teacher ? { teacher: more.teacher } : {}),
    training: {
      epochs: 6,
      batchSize: 10,
      optimizer: { kind: 'adamw', learningRate: 0.01 },
      earlyStopping: false,
    },
    baseline: { epochs: 1 },
    export: { int8: { maxDrop: 1 } },
    store: 'store',
  });

describe('pairs, from a table of captions to a student of both towers', { timeout: patience(120) }, () => {
  const student = recipeOf('student', {
    teacher: { kind: 'onnx-pair', model: 'runs/teacher/student', precision: 'f32' },
    student: { tokens: 'teacher' },
    objective: [
      { kind: 'cosineKd', output: 'text_embeds' },
      { kind: 'cosineKd', output: 'image_embeds' },
      { kind: 'affinityKd', outputs: ['text_embeds', 'image_embeds'] },
      { kind: 'infoNce', outputs: ['text_embeds', 'image_embeds'], temperature: 0.1 },
    ],
  });

  test('init proposes a recipe of pairs, and a teacher trains on what belongs together', async () => {
    const { source, task, set } = await proposeSource(place.path('captions.csv'), 'captions.csv');
    const drafted = parseRecipe(
      draftRecipe(
        {
          name: 'pairs',
          source,
          task,
          set,
          teacher: undefined,
          student: 'dual-encoder',
          labelsPerClass: 'all',
        },
        'schema.json',
      ),
    );
    expect(drafted).toMatchObject({
      task: 'zero-shot-image-classification',
      inputs: { text: { field: 'caption' }, image: { field: 'file' } },
      outputs: { pairs: { target: 'pairs' } },
    });

    const result = await train(recipeOf('teacher', {}), place.options('teacher'));
    expect(result.metrics[0]?.name).toBe('recall@10');
    const config = JSON.parse(readFileSync(place.path('runs/teacher/student/config.json'), 'utf8'));
    expect(config.logit_scale_init_value).toBeCloseTo(Math.log(10), 6);
  });

  test('a check tells which samples lack a side', async () => {
    const [head, ...rows] = readFileSync(place.path('captions.csv'), 'utf8').trim().split('\n');
    const halves = rows.map((row, i) =>
      i === 4 ? row.replace(/,.*/, ',') : i > 36 ? row.replace(/.*,/, ',') : row,
    );
    place.write('halves.csv', `${[head, ...halves].join('\n')}\n`);
    const recipe = recipeOf('halves', {});
    const data = { ...recipe.data, source: { ...recipe.data.source, path: 'halves.csv' } };
    const { warnings } = await check({ ...recipe, data } as typeof recipe, place.options('halves'));
    expect(warnings).toContainEqual(
      expect.stringMatching(/^of 40 samples 1 has no 'text' \(2\.5.*halves\.csv:6\), and 3 have no 'image'/),
    );
  });

  test('a plan times it', async () => {
    const { stages } = await plan(student, place.options('planned'));
    expect(stages.find(({ stage }) => stage === 'baseline')?.seconds).toBeGreaterThan(0);
    expect(stages.find(({ stage }) => stage === 'train')?.seconds).toBeGreaterThan(0);
  });

  test('it distils, in int8 too, beside the student without a teacher, and is evaluated alike', async () => {
    const result = await distill(student, place.options('student'));
    expect(result.teacher?.metrics['recall@10']).toBeGreaterThan(0);
    expect(result.baselines?.map(({ taughtBy }) => taughtBy)).toEqual(['labels']);
    expect(result.gate?.passed).toBe(true);
    expect(result.studentInt8).not.toBeNull();
    const page = readFileSync(place.path('runs/student/report.html'), 'utf8');
    expect(page).toContain('Where the right one stands');
    const again = await evaluate(place.path('runs/student'), {});
    expect(again.metrics.find(({ name }) => name === 'recall@10')?.value).toBe(
      result.student.metrics['recall@10'],
    );
  });

  test('two transformers give a student that is cut out of both, layer by layer', async () => {
    const sizes = { width: 16, heads: 2, layers: 2, feedForward: 16 };
    const teacher = recipeOf('clip-teacher', {});
    const { student: _, ...rest } = teacher;
    await train(
      checkRecipe({
        ...rest,
        student: { kind: 'clip', text: sizes, image: { ...sizes, patch: 8 } },
        training: { ...rest.training, epochs: 2 },
      }),
      place.options('clip-teacher'),
    );
    const cut = (text: object) => {
      const { student: _student, ...more } = recipeOf('cut', {
        teacher: { kind: 'onnx-pair', model: 'runs/clip-teacher/student', precision: 'f32' },
        objective: [
          { kind: 'cosineKd', output: 'text_embeds' },
          { kind: 'cosineKd', output: 'image_embeds' },
          { kind: 'hidden', output: 'image_embeds', weight: 0.1 },
        ],
      });
      return checkRecipe({ ...more, student: { kind: 'cut', text, image: { layers: [1], heads: 1 } } });
    };
    await expect(check(cut({ layers: 3 }), place.options('refused'))).rejects.toMatchObject({
      code: 'recipe.invalid',
      where: 'student.text.layers',
    });
    expect(() => checkRecipe({ ...cut({}), student: { kind: 'cut', layers: 1 } })).toThrow(
      /student\.layers: a teacher of texts and images has two towers/,
    );
    const result = await distill(cut({ layers: 1, width: 0.5 }), {
      ...place.options('cut'),
      baseline: false,
    });
    expect(result.student.parameters).toBeLessThan(result.teacher?.parameters as number);
    const config = JSON.parse(readFileSync(place.path('runs/cut/student/config.json'), 'utf8'));
    expect(config).toMatchObject({ model_type: 'clip', limbeck: { architecture: 'cut' } });
    const one = { num_hidden_layers: 1, hidden_act: 'quick_gelu' };
    expect(config.text_config).toMatchObject({
      ...{ ...one, hidden_size: 8, num_attention_heads: 2, intermediate_size: 8 },
    });
    expect(config.vision_config).toMatchObject({
      ...{ ...one, hidden_size: 16, num_attention_heads: 1, intermediate_size: 16, patch_size: 8 },
    });
    const logged = readFileSync(place.path('runs/cut/metrics.jsonl'), 'utf8');
    expect(logged).toContain('hidden');
  });

  test('MixUp is refused at its key', () => {
    const mixed = { ...student, data: { ...student.data, mixup: {} } };
    expect(() => checkRecipe(mixed)).toThrow(
      /data\.mixup: .*(no meaning for the output 'pairs'|not of several)/,
    );
  });
});
