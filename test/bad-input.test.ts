import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { useLiteTokenizer } from '../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { LimbeckError } from '../src/errors.ts';
import type { RunEvent } from '../src/events.ts';
import { KnowledgeStore } from '../src/knowledge/store.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import type { RunOptions } from '../src/run/context/run-options.ts';
import { distill } from '../src/run/distill.ts';
import { exportStudent } from '../src/run/export-student.ts';
import { label } from '../src/run/label.ts';
import { type Gloss, readGlosses, writeJsonLines } from './support/glosses.ts';
import { classifierModel, tokenizerJson, withCycle } from './support/onnx-teacher.ts';
import { SmallDisk } from './support/small-disk.ts';
import { RunPlace, smallRecipe, smallRecipeText } from './support/small-run.ts';

let glosses: Gloss[];
let place: RunPlace;
let tokenizerFile: Buffer;
const wholeTeacher = classifierModel();
beforeAll(async () => {
  glosses = await readGlosses(150);
  tokenizerFile = await tokenizerJson();
});
beforeEach(() => {
  place = new RunPlace();
  const current = place;
  writeJsonLines(place.path('data.jsonl'), glosses);
  place.write('tokenizer.json', tokenizerFile);
  place.write('teacher.onnx', wholeTeacher);
  onTestFinished(() => current.remove());
});

const QUICK = [
  'data.splits.validation=60',
  'data.splits.test=80',
  'data.labelsPerClass=15',
  'training.epochs=1',
];
/** Taught by the real sentence encoder. */
const taught = (...overrides: string[]) => smallRecipe([...QUICK, ...overrides]);
/** Taught by an ONNX file that is there in a moment. */
const quick = (...overrides: string[]) =>
  taught(
    'teacher={kind: onnx, model: teacher.onnx, tokenizer: tokenizer.json, precision: f32, atChance: warn}',
    ...overrides,
  );

/** Runs without a baseline, in `runs/NAME`. */
const run = (recipe: ReturnType<typeof smallRecipe>, name = 'a', more: Partial<RunOptions> = {}) =>
  distill(recipe, place.options(name, { baseline: false, ...more }));

/** The error of a run that must not succeed, checked to be made for a person. */
async function failure(action: () => unknown): Promise<LimbeckError> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof LimbeckError)) throw error;
    expect(error.where, error.code).toBeTruthy();
    expect(error.remedy, error.code).toMatch(/\.$|\?$/);
    return error;
  }
  throw new Error('it succeeded');
}

/** How many texts the teacher had to be asked about, as a run tells before it asks. */
function listener(): { onEvent: (event: RunEvent) => void; missing: number[]; warnings: string[] } {
  const missing: number[] = [];
  const warnings: string[] = [];
  return {
    missing,
    warnings,
    onEvent(event) {
      if (event.type !== 'log') return;
      if (event.level === 'warn') warnings.push(event.message);
      const [, count] = /^(\d+) of \d+ train texts have no answer yet/.exec(event.message) ?? [];
      if (count) missing.push(Number(count));
    },
  };
}

test('a recipe with an unknown key: file, line and the nearest key', async () => {
  const text = smallRecipeText().replace('labelsPerClass', 'labelPerClass');
  const error = await failure(() => parseRecipe(text, { file: 'small.yaml' }));
  expect(error).toMatchObject({
    code: 'recipe.unknown-key',
    message: 'data.labelPerClass: unknown key',
    where: `small.yaml:${text.split('\n').findIndex((line) => line.includes('labelPerClass')) + 1}:3`,
    remedy: "Did you mean 'labelsPerClass'?",
  });
});

describe('data', () => {
  test('an empty data set, and one of broken rows alone', async () => {
    writeJsonLines(place.path('data.jsonl'), []);
    expect((await failure(() => run(quick()))).code).toBe('data.empty');
    writeJsonLines(place.path('data.jsonl'), ['{"text": "cut', '[]', '{"label": "x"}']);
    const error = await failure(() => run(quick()));
    expect(error).toMatchObject({ code: 'data.empty', where: expect.stringContaining('data.jsonl:1') });
    // Mended, the same folder goes on.
    writeJsonLines(place.path('data.jsonl'), glosses);
    expect((await run(quick())).student.accuracy).toBeGreaterThan(0);
  });

  test('a file that is not there', async () => {
    expect(await failure(() => run(quick('data.source.path=no.jsonl')))).toMatchObject({
      code: 'data.missing',
      where: expect.stringContaining('no.jsonl'),
    });
  });

  test('a label that is not in the list, with the nearest one', async () => {
    const labels = 'data.labels=[noun.animal, noun.person, noun.plant, noun.locations]';
    expect(await failure(() => run(quick(labels, 'data.onBrokenRow=fail')))).toMatchObject({
      code: 'data.unknown-label',
      message: expect.stringMatching(/'noun.location' is not in data.labels .*'noun.locations'/),
      where: expect.stringMatching(/^data.jsonl, noun\.\d+/),
    });
  });

  test('a broken row is counted, shown and left out; or fatal, as the recipe says', async () => {
    writeJsonLines(place.path('data.jsonl'), [
      ...glosses,
      '{"text": "cut sho',
      { id: 'x', label: 'noun.plant' },
    ]);
    const { onEvent, warnings } = listener();
    const result = await run(quick(), 'skips', { onEvent });
    expect(result.student.accuracy).toBeGreaterThan(0);
    const row = glosses.length + 1;
    expect(warnings).toContainEqual(
      expect.stringMatching(
        new RegExp(`^2 broken rows were left out; the first: data.jsonl:${row}: not JSON`),
      ),
    );
    expect(await failure(() => run(quick('data.onBrokenRow=fail'), 'fails'))).toMatchObject({
      code: 'data.broken-row',
      where: expect.stringContaining(`data.jsonl:${row}`),
    });
  });

  test('other data in the middle of a run is refused, not mixed in', async () => {
    const abort = new AbortController();
    const stop = (event: RunEvent) => {
      if (event.type === 'stage-start' && event.stage === 'export') abort.abort();
    };
    const error = await failure(() => run(quick(), 'a', { onEvent: stop, signal: abort.signal })).catch(
      (cause) => cause,
    );
    expect(String(error)).toMatch(/run\.interrupted|stopped/);
    writeJsonLines(place.path('data.jsonl'), glosses.slice(40));
    expect(await failure(() => run(quick()))).toMatchObject({ code: 'run.other-data' });
    writeJsonLines(place.path('data.jsonl'), glosses);
    expect((await run(quick())).student.accuracy).toBeGreaterThan(0);
  });
});

describe('a student that is not finished', () => {
  test('is not exported, whatever its checkpoint holds; once it is, it is', async () => {
    const recipe = quick('training.epochs=3', 'training.checkpointEvery=0.001');
    const abort = new AbortController();
    const stop = (event: RunEvent) => {
      if (event.type === 'metrics' && event.stage === 'train') abort.abort();
    };
    await expect(run(recipe, 'a', { onEvent: stop, signal: abort.signal })).rejects.toMatchObject({
      code: 'run.interrupted',
    });
    const folder = place.path('runs', 'a');
    expect(readdirSync(`${folder}/checkpoints/train`)).not.toEqual([]);
    expect(await failure(() => exportStudent(folder, {}))).toMatchObject({ code: 'export.missing' });
    expect(existsSync(`${folder}/student`)).toBe(false);
    await run(recipe);
    const { files } = await exportStudent(folder, {});
    expect(files.map(({ path }) => path)).toContain('onnx/model.onnx');
    expect(
      await failure(async () => {
        rmSync(`${folder}/checkpoints/train`, { recursive: true });
        await exportStudent(folder, {});
      }),
    ).toMatchObject({ code: 'export.missing' });
  });
});

describe('an ONNX teacher', () => {
  test('that is whole teaches', async () => {
    const result = await run(quick());
    expect(result.teacherCalls).toBeGreaterThan(400);
    expect(existsSync(place.path('runs', 'a', 'student', 'onnx', 'model.onnx'))).toBe(true);
  });

  test.each([
    ['cut short', () => classifierModel().subarray(0, 50_000), 'model.malformed'],
    ['empty', () => new Uint8Array(), 'model.malformed'],
    [
      'text',
      () => new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'),
      'model.malformed',
    ],
    ['cyclic', () => withCycle(classifierModel()), 'model.cyclic'],
    ["of another tokenizer's vocabulary", () => classifierModel({ vocabulary: 5000 }), 'teacher.vocabulary'],
  ])('that is %s is refused with its name, and the mended one goes on', async (_, bytes, code) => {
    place.write('teacher.onnx', bytes());
    const error = await failure(() => run(quick()));
    expect(error.code).toBe(code);
    expect(`${error.where} ${error.message}`).toContain('teacher.onnx');
    expect(existsSync(place.path('runs', 'a', '.lock'))).toBe(false);
    if (code !== 'model.cyclic') return;
    place.write('teacher.onnx', wholeTeacher);
    expect((await run(quick())).teacherCalls).toBeGreaterThan(400);
  });

  test('that reads shorter texts than the recipe brings', async () => {
    const error = await failure(() => run(quick('data.maxLength=600', 'data.buckets=[600]')));
    expect(error).toMatchObject({ code: 'teacher.length', message: expect.stringContaining('512') });
  });

  test('of another number of classes than the data', async () => {
    place.write('teacher.onnx', classifierModel({ classes: 3 }));
    const error = await failure(() => run(quick()));
    expect(error).toMatchObject({ code: 'teacher.classes', message: expect.stringMatching(/3 .*4/) });
  });

  test('that answers NaN: the sample is named, other answers stay, a mended model goes on', async () => {
    const tokenizer = await useLiteTokenizer();
    const texts = new Map<number, number>();
    for (const { text } of glosses)
      for (const id of new Set(tokenizer.encode(text))) texts.set(id, (texts.get(id) ?? 0) + 1);
    const rare = [...texts].filter(([, count]) => count === 1).map(([id]) => id);
    // Somewhere in the training texts, and after some batches that are well: in four of five texts one is.
    const nanTokens = [rare[Math.floor(rare.length / 2)]!];
    place.write('teacher.onnx', classifierModel({ nanTokens }));
    const first = listener();
    const error = await failure(() => run(quick(), 'a', { onEvent: first.onEvent }));
    expect(error).toMatchObject({
      code: 'teacher.not-finite',
      message: expect.stringContaining('NaN'),
      where: expect.stringMatching(/^logits, value 0 of sample \d+/),
    });
    const store = await KnowledgeStore.open(place.path('store'));
    const kept = (await store.list()).reduce((sum, { samples }) => sum + samples, 0);
    await store.close();
    expect(kept).toBeGreaterThan(0);
    const second = listener();
    await failure(() => run(quick(), 'a', { onEvent: second.onEvent }));
    expect(second.missing[0]).toBeLessThanOrEqual(first.missing[0]! - kept);
    place.write('teacher.onnx', wholeTeacher);
    expect((await run(quick())).teacherCalls).toBeGreaterThan(400);
  });
});

describe('a disk', () => {
  function disk(path: string, kib: number): SmallDisk | undefined {
    const mounted = SmallDisk.mount(path, kib);
    if (mounted) onTestFinished(() => mounted.unmount());
    return mounted;
  }

  test('that is full while labelling: the answers so far stay, with room the run goes on', async (context) => {
    const small = disk(place.path('store'), 400);
    if (!small) return context.skip('only root can mount a small disk');
    const error = await failure(() => label(taught('teacher.head.epochs=3'), place.options('a')));
    expect(error.code).toBe('store.disk-full');
    small.remount('size=64m');
    const store = await KnowledgeStore.open(place.path('store'));
    const [kept] = await store.list();
    await store.close();
    expect(kept?.samples).toBeGreaterThan(0);
    const labels = await label(taught('teacher.head.epochs=3'), place.options('a'));
    expect(labels.labelled).toBeGreaterThan(300);
  });

  test('that is full while checkpointing: with room the run goes on, and asks nothing again', async (context) => {
    mkdirSync(place.path('runs', 'a'), { recursive: true });
    const small = disk(place.path('runs', 'a', 'checkpoints'), 400);
    if (!small) return context.skip('only root can mount a small disk');
    const error = await failure(() => run(quick('training.checkpointEvery=0.01')));
    expect(error.code).toBe('checkpoint.disk-full');
    expect(error.where).toContain(place.path('runs', 'a', 'checkpoints', 'train'));
    small.remount('size=64m');
    const second = listener();
    const result = await run(quick('training.checkpointEvery=0.01'), 'a', { onEvent: second.onEvent });
    expect(second.missing).toEqual([]);
    expect(result.teacherCalls).toBeGreaterThan(300);
    expect(readdirSync(small.path)).toEqual(['train']);
  });

  test('that is full for the run itself', async (context) => {
    const small = disk(place.path('runs', 'a'), 300);
    if (!small) return context.skip('only root can mount a small disk');
    const error = await failure(() => run(quick()));
    expect(error.code).toMatch(/^(run|export|model|checkpoint)\.(disk-full|write)$/);
    small.remount('size=128m');
    expect((await run(quick())).student.accuracy).toBeGreaterThan(0);
  });

  test('that cannot be written to', async (context) => {
    const small = disk(place.path('runs'), 4000);
    if (!small) return context.skip('only root can mount a small disk');
    small.remount('ro');
    expect(await failure(() => run(quick()))).toMatchObject({
      code: 'run.write',
      where: expect.stringContaining('runs/a'),
      remedy: expect.stringContaining('--out'),
    });
    small.remount('rw,size=128m');
    await run(quick());
    small.remount('ro');
    // A finished run can still be asked, but its folder is locked by writing to it.
    expect(await failure(() => run(quick('seed=3'), 'b'))).toMatchObject({ code: 'run.write' });
  });
});
