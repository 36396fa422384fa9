import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../src/events.ts';
import { KnowledgeStore } from '../src/knowledge/store.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import { stringifyRecipe } from '../src/recipe/write.ts';
import { accuracyOf, type RunResult, runResultSchema } from '../src/report/result.ts';
import { distill } from '../src/run/distill.ts';
import { evaluate } from '../src/run/evaluate.ts';
import { STAGES } from '../src/run/stages/index.ts';
import { decodeSafetensors } from '../src/train/safetensors.ts';
import { buildLimbeck } from './support/build.ts';
import { launch } from './support/child-process.ts';
import { fileHash } from './support/file-hash.ts';
import { GLOSS_CLASSES, readGlosses, writeJsonLines } from './support/glosses.ts';
import { RunPlace, smallRecipe } from './support/small-run.ts';

const place = new RunPlace();
const recipe = smallRecipe([
  'teacher.precision=auto',
  'objective.kd.temperature=auto',
  'objective.featureMse.weight=0.3',
  'export.license=mit',
  'export.languages=[en, de]',
]);
const events: RunEvent[] = [];
let result: RunResult;

beforeAll(async () => {
  writeJsonLines(place.path('data.jsonl'), await readGlosses(260));
  result = await distill(
    recipe,
    place.options('first', {
      onEvent: (event) => events.push(event),
      command: 'npx limbeck distill small.yaml',
    }),
  );
});
afterAll(() => place.remove());

const file = (...names: string[]) => place.path('runs', 'first', ...names);
const read = (...names: string[]) => readFileSync(file(...names), 'utf8');

describe('the folder of a run', () => {
  test('result.json is what distill returned, whole', () => {
    const written = JSON.parse(read('result.json'));
    expect(runResultSchema.parse(written)).toEqual(written);
    expect(written).toEqual(JSON.parse(JSON.stringify(result)));
    const { teacher, student, studentInt8, baseline, seconds } = result;
    for (const model of [teacher!, student, studentInt8!, baseline!]) {
      expect(model.bytes).toBe(statSync(file(model.file!)).size);
      expect(model.throughput).toBeGreaterThan(0);
      expect(model.latencyMs.one).toBeGreaterThan(0);
      expect(model.latencyMs.thirtyTwo).toBeGreaterThan(model.latencyMs.one / 2);
    }
    expect(teacher?.parameters).toBeGreaterThan(7e6);
    // 8,000 x 16 embeddings, a convolution of 3 x 16 x 32, a classifier over maximum and mean.
    expect(student.parameters).toBeGreaterThanOrEqual(8000 * 16 + 3 * 16 * 32 + 32 + 64 * 4 + 4);
    expect(baseline!.parameters).toBe(student.parameters);
    expect(studentInt8!.bytes).toBeLessThan(student.bytes / 2);
    expect(result.retention).toBeCloseTo(accuracyOf(student) / accuracyOf(teacher), 12);
    expect(result.speedup).toBeCloseTo(student.throughput / teacher!.throughput, 9);
    for (const stage of STAGES) expect(seconds[stage], stage).toBeGreaterThan(0);
    expect(result).toMatchObject({
      seed: 1,
      command: 'npx limbeck distill small.yaml',
      engine: expect.stringMatching(/^onnxruntime-node \d/),
      gate: { maxDrop: 0.03 },
    });
  });

  test('the student learnt from its teacher', () => {
    expect(result.teacher?.accuracy).toBeGreaterThan(0.75);
    expect(result.student.accuracy).toBeGreaterThan(0.6);
    expect(result.student.accuracy).toBeGreaterThan(accuracyOf(result.baseline!));
  });

  test('linear peers learnt the same, from the labels and from the answers', () => {
    const baselines = result.baselines ?? [];
    expect(baselines.map(({ name, taughtBy }) => [name, taughtBy])).toEqual([
      ['labels', 'labels'],
      ['linear-labels', 'labels'],
      ['linear-answers', 'teacher'],
    ]);
    for (const { result: peer, gain } of baselines) {
      expect(peer.bytes).toBe(statSync(file(peer.file!)).size);
      expect(gain.difference).toBeCloseTo(accuracyOf(result.student) - accuracyOf(peer), 12);
      expect(gain.low).toBeLessThanOrEqual(gain.difference as number);
      // Four classes: chance is a quarter.
      expect(peer.accuracy).toBeGreaterThan(0.4);
    }
  });

  test('the teacher was asked once about every training text', async () => {
    const label = events.find((event) => event.type === 'stage-end' && event.stage === 'label');
    expect(label).toMatchObject({ summary: expect.stringMatching(/^\d+ texts labelled/) });
    const { summary } = label as { summary: string };
    const training = JSON.parse(read('report.json')).data.splits.train as number;
    // Nothing was in the store; a text that occurs twice is asked about once.
    expect(result.teacherCallsSaved).toBe(0);
    const repeated = Number(/, (\d+) texts occur more than once/.exec(summary)?.[1] ?? 0);
    expect(result.teacherCalls + repeated).toBe(training);
    const store = await KnowledgeStore.open(place.path('store'));
    const logits = (await store.list()).filter(({ tap }) => tap === 'logits');
    await store.close();
    // The training texts once; the test texts by the float32 teacher, in the same space when that one labels.
    const kept = logits.map(({ samples }) => samples);
    expect(kept.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(result.teacherCalls + 240);
    expect(Math.max(...kept)).toBeGreaterThanOrEqual(result.teacherCalls);
  });

  test('recipe.resolved.yaml is the recipe with every default', () => {
    expect(parseRecipe(read('recipe.resolved.yaml'))).toEqual(recipe);
    expect(read('recipe.resolved.yaml')).toBe(stringifyRecipe(recipe));
  });

  test('metrics.jsonl has every epoch of student and baseline, and every term', () => {
    const rows = read('metrics.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const student = rows.filter(({ stage }) => stage === 'train');
    expect(student).toHaveLength(4);
    expect(rows.filter(({ stage }) => stage === 'baseline').length).toBeGreaterThan(0);
    for (const row of student) {
      for (const name of ['loss', 'loss/kd', 'loss/labels', 'grad_norm/kd', 'grad_norm/labels', 'grad_norm'])
        expect(Number.isFinite(row[name]), `${name} in ${Object.keys(row)}`).toBe(true);
      expect(row['grad_norm/kd']).toBeGreaterThan(0);
      expect(row['grad_norm/labels']).toBeGreaterThan(0);
    }
    expect(student[3]['validation/accuracy']).toBeGreaterThan(student[0]['validation/accuracy']);
  });

  test('checkpoints can be read', () => {
    for (const training of ['teacher', 'train', 'baseline']) {
      const [name] = readdirSync(file('checkpoints', training));
      const path = file('checkpoints', training, name);
      const { tensors } = decodeSafetensors(readFileSync(path), path);
      expect(tensors.size).toBeGreaterThan(2);
    }
  });

  test('the student is in the Hugging Face layout', () => {
    for (const name of [
      'README.md',
      'tokenizer.json',
      'tokenizer_config.json',
      'onnx/model.onnx',
      'onnx/model_quantized.onnx',
    ])
      expect(existsSync(file('student', name)), name).toBe(true);
    const config = JSON.parse(read('student', 'config.json'));
    expect(Object.values(config.id2label)).toEqual([...GLOSS_CLASSES].sort());
    expect(config.label2id).toEqual(
      Object.fromEntries(
        Object.entries(config.id2label as Record<string, string>).map(([id, label]) => [label, Number(id)]),
      ),
    );
    const { inputs, outputs } = readModelFile(file('student', 'onnx', 'model.onnx'));
    expect(inputs.map(({ name }) => name).sort()).toEqual(['attention_mask', 'input_ids']);
    expect(outputs.map(({ name }) => name)).toEqual(['logits']);
    const card = read('student', 'README.md');
    expect(card).toMatch(/^---\n[\s\S]*pipeline_tag: text-classification[\s\S]*\n---\n/);
    expect(card).toMatch(/^---\nlicense: mit\nlanguage:\n {2}- en\n {2}- de\n/);
    expect(card).toContain('Texts are cut after 32 tokens.');
    expect(card).toContain(`${(100 * accuracyOf(result.student)).toFixed(1)}`);
    expect(readdirSync(place.path('runs'))).toEqual(['first']);
  });

  test('report.html is one page with the numbers', () => {
    const page = read('report.html');
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)=["']?https?:/);
    for (const { accuracy } of [result.teacher!, result.student, result.studentInt8!, result.baseline!])
      expect(page).toContain((100 * (accuracy as number)).toFixed(1));
  });

  test('nothing is left half-written or locked', () => {
    const names = readdirSync(file(), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => /partial|\.old|\.lock|\.part-/.test(name))).toEqual([]);
  });
});

test('every stage is told in order, and its progress counts up to its total', () => {
  const stages = events
    .filter(({ type }) => type === 'stage-end')
    .map((event) => 'stage' in event && event.stage);
  expect(stages).toEqual([
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
  const steps = events.filter((event) => event.type === 'progress' && event.stage === 'train');
  expect(steps.at(-1)).toMatchObject({ task: 'training', unit: 'steps' });
  const last = steps.at(-1) as { done: number; total: number };
  expect(last.done).toBe(last.total);
});

describe('the numbers', () => {
  test('are those of an independent evaluation of the files that ship', async () => {
    const { student, studentInt8, baseline, teacher } = result;
    for (const model of [student, studentInt8!, baseline!, teacher!]) {
      const measured = await evaluate(file(), { model: file(model.file!) });
      expect(measured.samples).toBe(240);
      // The teacher's answers come out of the store, in float16: a tie may turn.
      const digits = model === teacher ? 2 : 12;
      expect(measured.accuracy, model.file).toBeCloseTo(accuracyOf(model), digits);
      expect(measured.macroF1, model.file).toBeCloseTo(model.macroF1 as number, digits);
    }
  });

  test('of the validation split are those that training saw', async () => {
    const { accuracy } = await evaluate(file(), { split: 'validation' });
    const best = Math.max(
      ...read('metrics.jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ stage }) => stage === 'train')
        .map((row) => row['validation/accuracy'] as number),
    );
    expect(accuracy).toBeCloseTo(best, 9);
  });
});

describe('another student with the same store, without baselines, taught by a peer as well', () => {
  const summaries: string[] = [];
  let second: RunResult;

  beforeAll(async () => {
    const wider = ['teacher.precision=auto', 'student.width=64', 'objective.kd.assistant=1'];
    second = await distill(
      smallRecipe(wider),
      place.options('wider', {
        baseline: false,
        onEvent: (event) => {
          if (event.type === 'stage-end' && event.stage === 'peer') summaries.push(event.summary);
        },
      }),
    );
  });

  test('asks the teacher nothing, and is as good', () => {
    expect(second.teacherCalls).toBe(0);
    const training = JSON.parse(read('report.json')).data.splits.train as number;
    expect(second.teacherCallsSaved).toBe(training);
    expect(second.baseline).toBeNull();
    expect(existsSync(place.path('runs', 'wider', 'baseline'))).toBe(false);
    expect(second.teacher?.accuracy).toBe(result.teacher?.accuracy);
    expect(second.student.accuracy).toBeGreaterThan(accuracyOf(result.student) - 0.05);
    const teacherHash = (run: string) => fileHash(place.path('runs', run, 'teacher', 'model.onnx'));
    expect(teacherHash('wider')).toBe(teacherHash('first'));
  });

  test('trains the peer that helps to teach, and compares nothing with it', () => {
    expect(summaries).toEqual([
      expect.stringMatching(/% from the teacher's answers on the validation split$/),
    ]);
    expect(second.baselines ?? []).toEqual([]);
    expect(existsSync(place.path('runs', 'wider', 'peer'))).toBe(false);
  });
});

describe('the same folder again', () => {
  test('answers at once, and touches nothing', async () => {
    const before = statSync(file('result.json')).mtimeMs;
    const started = performance.now();
    const again = await distill(recipe, place.options('first'));
    expect(performance.now() - started).toBeLessThan(2000);
    expect(again).toEqual(JSON.parse(read('result.json')));
    expect(statSync(file('result.json')).mtimeMs).toBe(before);
  });

  test('writes what is gone again, the same, and trains nothing for it', async () => {
    const gone = ['student', 'report.html'];
    const hashes = () =>
      ['student/onnx/model.onnx', 'student/config.json'].map((name) => fileHash(file(name)));
    const before = hashes();
    for (const name of gone) {
      rmSync(file(name), { recursive: true });
      const again = await distill(recipe, place.options('first'));
      expect(again.student.accuracy).toBe(result.student.accuracy);
      expect(again.seconds.train).toBeLessThan(result.seconds.train + 2);
      expect(existsSync(file('report.html'))).toBe(true);
      expect(existsSync(file('student', 'README.md'))).toBe(true);
      expect(hashes()).toEqual(before);
    }
  });

  test('writes a damaged student again, the same, and measures none before', async () => {
    const path = file('student', 'onnx', 'model.onnx');
    const before = fileHash(path);
    const bytes = readFileSync(path);
    for (let i = 1; i <= 5; i++) bytes[Math.floor((i * bytes.length) / 6)] ^= 0x40;
    writeFileSync(path, bytes);
    await expect(evaluate(file(), {})).rejects.toMatchObject({
      code: 'run.damaged',
      message: expect.stringContaining('student/onnx/model.onnx is damaged'),
      remedy: expect.stringContaining('limbeck export'),
    });
    const again = await distill(recipe, place.options('first'));
    expect(fileHash(path)).toBe(before);
    expect(again.student.accuracy).toBe(result.student.accuracy);
  });

  test('writes what the student is compared with, the teacher and the report again where they are damaged', async () => {
    const names = ['teacher/model.onnx', 'baseline/model.onnx', 'peer/linear-answers.onnx', 'report.json'];
    const models = names.filter((name) => name.endsWith('.onnx')).map((name) => file(name));
    const before = models.map((path) => fileHash(path));
    for (const name of names) {
      const bytes = readFileSync(file(name));
      bytes[bytes.length >> 1] ^= 0x40;
      writeFileSync(file(name), bytes);
    }
    const again = await distill(recipe, place.options('first'));
    expect(models.map((path) => fileHash(path))).toEqual(before);
    expect(JSON.parse(read('report.json'))).toMatchObject({ name: 'small' });
    expect(again.baseline?.accuracy).toBe(result.baseline?.accuracy);
    // What a person removed is not missed.
    rmSync(file('baseline'), { recursive: true });
    const written = statSync(file('result.json')).mtimeMs;
    await distill(recipe, place.options('first'));
    expect(statSync(file('result.json')).mtimeMs).toBe(written);
  });

  test('refuses another recipe', async () => {
    await expect(distill(smallRecipe(['seed=2']), place.options('first'))).rejects.toMatchObject({
      code: 'run.other-recipe',
      where: file('recipe.resolved.yaml'),
      remedy: expect.stringMatching(/--out/),
    });
    expect(existsSync(file('.lock'))).toBe(false);
  });

  test('refuses a second process while one works in it', async () => {
    const script = fileURLToPath(new URL('./support/distill-process.js', import.meta.url));
    const build = buildLimbeck();
    onTestFinished(() => build.remove());
    const path = place.write('locked.yaml', stringifyRecipe(smallRecipe(['seed=5'])));
    const running = launch(
      script,
      [build.file(''), path, place.path('runs', 'locked'), place.path('store')],
      place.folder,
    );
    expect(await running.printed(/"stage":"teacher"/)).toBe(true);
    await expect(distill(smallRecipe(['seed=5']), place.options('locked'))).rejects.toMatchObject({
      code: 'run.locked',
      message: expect.stringContaining(`${running.child.pid}`),
    });
    running.child.kill('SIGKILL');
    await running.ended;
    // The lock of a process that is gone holds nobody up: the abort comes at the first stage, not at the lock.
    await expect(
      distill(smallRecipe(['seed=5']), place.options('locked', { signal: AbortSignal.abort() })),
    ).rejects.toMatchObject({ code: 'run.interrupted' });
  });
});
