import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../src/random.ts';
import { checkRecipe } from '../src/recipe/parse.ts';
import { distill } from '../src/run/distill.ts';
import { evaluate } from '../src/run/evaluate.ts';
import { exportStudent } from '../src/run/export-student.ts';
import { train } from '../src/run/train.ts';
import { openSealedJson, sealJson } from '../src/sealed-json.ts';
import { fileHash } from './support/file-hash.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

const COLOURS = ['red', 'green', 'blue'];
const ANIMALS = ['dog', 'cat'];
const OTHERS = ['fast', 'slow', 'big', 'small', 'car', 'house', 'tree', 'river', 'stone'];

// Texts of a few words: several classes by the words in them, a number by how many of them, spans where they stand.
beforeAll(() => {
  const random = randomStream(1, 'texts');
  const all = [...COLOURS, ...ANIMALS, ...OTHERS];
  const csv = ['text,tags,score'];
  const jsonl: string[] = [];
  for (let i = 0; i < 420; i++) {
    const words = Array.from(
      { length: 4 + random.integer(5) },
      () => all[random.integer(all.length)] as string,
    );
    const tags = [
      ...(words.some((word) => COLOURS.includes(word)) ? ['colour'] : []),
      ...(words.some((word) => ANIMALS.includes(word)) ? ['animal'] : []),
      ...(words.some((word) => ['big', 'small'].includes(word)) ? ['size'] : []),
    ];
    const score =
      50 + 10 * words.filter((word) => word === 'fast' || word === 'big').length + random.normal();
    const text = `${words.join(' ')} ${i}`;
    csv.push(`${text},${tags.join('|')},${score.toFixed(2)}`);
    let at = 0;
    const spans = words.flatMap((word) => {
      const [start, end] = [at, at + word.length];
      at = end + 1;
      if (COLOURS.includes(word)) return [{ start, end, label: 'COLOUR' }];
      return ANIMALS.includes(word) ? [{ start, end, label: 'ANIMAL' }] : [];
    });
    jsonl.push(JSON.stringify({ text, spans }));
  }
  place.write('rows.csv', `${csv.join('\n')}\n`);
  place.write('rows.jsonl', `${jsonl.join('\n')}\n`);
});

const KINDS = {
  classes: {
    outputs: { logits: { target: 'classes', field: 'tags', empty: 'none' } },
    metric: 'macroAuroc',
    least: 0.9,
  },
  number: { outputs: { logits: { target: 'number', field: 'score' } }, metric: 'pearson', least: 0.7 },
  'token-classes': {
    outputs: { logits: { target: 'token-classes', field: 'spans' } },
    metric: 'spanF1',
    least: 0.8,
  },
} as const;

function recipeOf(kind: keyof typeof KINDS, name: string, more: Record<string, unknown> = {}) {
  return checkRecipe({
    name,
    data: {
      source:
        kind === 'token-classes' ? { kind: 'jsonl', path: 'rows.jsonl' } : { kind: 'csv', path: 'rows.csv' },
      splits: { validation: 60, test: 80 },
      maxLength: 16,
    },
    outputs: KINDS[kind].outputs,
    student: { kind: 'text-conv', embedding: 16, width: 32 },
    training: {
      epochs: 12,
      batchSize: 32,
      optimizer: { kind: 'adamw', learningRate: 0.01 },
      earlyStopping: false,
    },
    baseline: { epochs: 3 },
    export: { int8: { maxDrop: 0.1 } },
    store: 'store',
    ...more,
  });
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s', (kind) => {
  const { metric, least } = KINDS[kind];
  const teacherRun = `${kind}-teacher`;

  test('trains on its labels, and is measured again alike', async () => {
    const options = place.options(teacherRun);
    const result = await train(recipeOf(kind, teacherRun), options);
    expect(result.metrics[0]?.name).toBe(kind === 'number' ? 'rmse' : metric);
    expect(result.student.metrics[metric]).toBeGreaterThan(least);
    expect(result.gate?.passed).toBe(true);
    const again = await evaluate(options.out, {});
    for (const { name, value } of again.metrics)
      expect(value).toBeCloseTo(result.student.metrics[name] as number, 5);
    const page = readFileSync(place.path('runs', teacherRun, 'report.html'), 'utf8');
    expect(page).toContain('id="output-logits"');
    const config = JSON.parse(readFileSync(place.path('runs', teacherRun, 'student', 'config.json'), 'utf8'));
    if (kind === 'classes') expect(config).toMatchObject({ problem_type: 'multi_label_classification' });
    if (kind === 'token-classes') expect(Object.values(config.id2label)).toContain('B-COLOUR');
    if (kind !== 'classes') return;
    // Versions that knew no rates of classes did not note what outputs begin with: their weights mean something else.
    const state = join(options.out, 'state.json');
    const kept = readFileSync(state, 'utf8');
    const { heads, ...older } = openSealedJson(kept).value;
    expect(heads).toBeDefined();
    writeFileSync(state, sealJson(older));
    await expect(exportStudent(options.out, {})).rejects.toMatchObject({ code: 'run.other-heads' });
    writeFileSync(state, kept);
  });

  test('learns from a teacher, and ends in the same bits where it was cut off', async () => {
    const teacher = { kind: 'onnx', model: `runs/${teacherRun}/student`, precision: 'f32' };
    const recipe = recipeOf(kind, `${kind}-taught`, { teacher });
    const whole = await distill(recipe, place.options(`${kind}-whole`));
    const { student, teacher: taught, baselines } = whole;
    expect(taught?.metrics[metric]).toBeGreaterThan(least);
    expect(student.metrics[metric]).toBeGreaterThan(least - 0.1);
    expect(baselines?.map(({ name }) => name)).toEqual(['labels', 'linear-labels', 'linear-answers']);
    const stop = new AbortController();
    const cut = place.options(`${kind}-cut`, {
      signal: stop.signal,
      onEvent: (event) => {
        const training = event.type === 'progress' && event.stage === 'train';
        if (training && event.done > 40) stop.abort();
      },
    });
    await expect(distill(recipe, cut)).rejects.toMatchObject({ code: 'run.interrupted' });
    const resumed = await distill(recipe, place.options(`${kind}-cut`));
    expect(resumed.student.metrics).toEqual(student.metrics);
    for (const file of ['onnx/model.onnx', 'onnx/model_quantized.onnx']) {
      const [a, b] = ['whole', 'cut'].map((run) =>
        fileHash(place.path('runs', `${kind}-${run}`, 'student', file)),
      );
      expect(a).toBe(b);
    }
  });
});

test('several outputs share a student, each with its metrics', async () => {
  const outputs = {
    tags: { target: 'classes', field: 'tags', empty: 'none' },
    score: { target: 'number', field: 'score' },
  };
  const recipe = recipeOf('classes', 'both', { outputs, export: { int8: false } });
  const { metrics, student } = await train(recipe, place.options('both'));
  expect(metrics[0]?.name).toBe('tags/macroAuroc');
  expect(student.metrics['tags/macroAuroc']).toBeGreaterThan(0.9);
  expect(student.metrics['score/pearson']).toBeGreaterThan(0.5);
});

test('vectors that only a teacher gives are its student’s truth', async () => {
  // The logits of the teacher of classes, taken for vectors.
  const teacher = { kind: 'onnx', model: 'runs/classes-teacher/student', precision: 'f32' };
  const outputs = { logits: { target: 'embedding' } };
  const recipe = recipeOf('classes', 'vectors', { outputs, teacher, export: { int8: false } });
  const options = place.options('vectors');
  const { teacher: taught, student, baselines } = await distill(recipe, options);
  expect(taught?.metrics.cosine).toBeCloseTo(1, 3);
  expect(student.metrics.cosine).toBeGreaterThan(0.8);
  // A linear model would have a table of n-grams as wide as the vector.
  expect(baselines).toEqual([]);
  // The run's teacher is asked again.
  const { metrics } = await evaluate(options.out, {});
  expect(metrics.find(({ name }) => name === 'cosine')?.value).toBeCloseTo(student.metrics.cosine ?? 0, 4);
  expect((await evaluate(options.out, { split: 'train' })).samples).toBeGreaterThan(0);
  rmSync(`${options.out}/teacher`, { recursive: true });
  await expect(evaluate(options.out, {})).rejects.toThrow(/only the teacher knows.*not there/);
  await expect(train(recipe, place.options('vectors-alone'))).rejects.toThrow(/no output has a field/);
});

test('what has no meaning for an output is refused with its key', () => {
  const wrong = (more: Record<string, unknown>) => () => recipeOf('number', 'wrong', more);
  expect(wrong({ objective: [{ kind: 'kd', weight: 1 }] })).toThrow(/objective\[0\].*kd has no meaning/s);
  expect(wrong({ objective: { bce: { weight: 1 } } })).toThrow(/objective\.bce/);
  expect(wrong({ objective: { boundary: { weight: 1 } } })).toThrow(/objective\.boundary.*a number changes/s);
  expect(wrong({ continual: { tasks: 2 } })).toThrow(/continual/);
  expect(wrong({ objective: [{ kind: 'mse', output: 'other', weight: 1 }] })).toThrow(/no output 'other'/);
});
