import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useLiteTokenizer } from '../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { accuracyOf, type RunResult } from '../src/report/result.ts';
import { splitBatches } from '../src/run/batches/sample-batches.ts';
import { prepareRecipeData } from '../src/run/data/prepare-data.ts';
import { train } from '../src/run/train.ts';
import { takenFeeds } from '../src/train/batch-feeds.ts';
import { type Build, buildLimbeck } from './support/build.ts';
import { jsonLines, launch } from './support/child-process.ts';
import { fileHash } from './support/file-hash.ts';
import { type Gloss, readGlosses, writeJsonLines } from './support/glosses.ts';
import { RunPlace, smallRecipe, smallRecipeText } from './support/small-run.ts';

// The commands one after another, as a person calls them, on one folder.

const place = new RunPlace();
let glosses: Gloss[];

let build: Build;

const limbeck = (...args: string[]) => launch(build.cli, args, place.folder).ended;
const resultFile = (run = 'small'): RunResult =>
  JSON.parse(readFileSync(place.path('runs', run, 'result.json'), 'utf8'));
/** The object that a command with --json ends with. */
const resultOf = (out: string) => jsonLines(out).at(-1)!;

beforeAll(async () => {
  build = buildLimbeck();
  glosses = await readGlosses(300);
  writeJsonLines(place.path('data.jsonl'), glosses);
  place.write('small.yaml', smallRecipeText());
});
afterAll(() => {
  build?.remove();
  place.remove();
});

test('plan tells time, memory and disk by stage, and writes no run', async () => {
  const { code, out } = await limbeck('plan', 'small.yaml', '--json');
  expect(code).toBe(0);
  const { type, stages, store } = resultOf(out) as {
    type: string;
    stages: { stage: string; seconds: number; memoryBytes: number; diskBytes: number }[];
    store: { present: number; missing: number };
  };
  expect(type).toBe('result');
  expect(stages.map(({ stage }) => stage)).toEqual(
    expect.arrayContaining(['teacher', 'label', 'train', 'baseline', 'export', 'evaluate']),
  );
  for (const { stage, seconds, memoryBytes, diskBytes } of stages)
    for (const number of [seconds, memoryBytes, diskBytes])
      expect(number >= 0 && Number.isFinite(number), stage).toBe(true);
  expect(store.missing).toBeGreaterThan(700);
  expect(existsSync(place.path('runs'))).toBe(false);
});

test('label fills the store, and tells it in plain lines where no terminal is', async () => {
  const { code, out, err } = await limbeck('label', 'small.yaml');
  expect({ code, err }).toEqual({ code: 0, err: expect.any(String) });
  expect(out).toMatch(/^The f32 teacher, answered \d[\d,]* samples in /);
  const lines = err.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThanOrEqual(6);
  for (const line of lines) expect(line).toMatch(/^\d\d:\d\d:\d\d \S/);
  expect(err).toMatch(/ label: done in .* texts labelled/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no escape sequence may come into a log
  expect(err).not.toMatch(/\u001B|\r/);
});

test('distill goes on from there, and ends with 0 and a summary', async () => {
  const { code, out, err } = await limbeck('distill', 'small.yaml');
  expect({ code, err }).toEqual({
    code: 0,
    err: expect.stringMatching(/label: done in .* 0 texts labelled/),
  });
  expect(out).toMatch(/^teacher +\d+\.\d %/m);
  expect(out).toMatch(/^student int8 +\d+\.\d %/m);
  expect(out).toMatch(/^baseline +\d+\.\d %/m);
  expect(out).toContain('runs/small/report.html');
  const result = resultFile();
  // The words follow the numbers: 240 texts may or may not show what the teacher was worth.
  const alone = result.baselines!.filter(({ taughtBy }) => taughtBy === 'labels');
  const [best] = alone.sort((a, b) => accuracyOf(b.result) - accuracyOf(a.result));
  const [kept, worth] =
    (best?.gain.low ?? 0) > 0
      ? [/ and keeps .* of its teacher's accuracy/, /the teacher is worth \d+\.\d points/]
      : [/; 240 test samples do not show whether its teacher helped/, /a difference of -?\d+\.\d points/];
  const headline = /^A \d+ kB student answers [\d,]+ times faster(.*)\. The int8 file answers [\d,]+ times/m;
  expect(headline.exec(out)?.[1]).toMatch(kept);
  expect(out).toMatch(worth);
  expect(out).toMatch(/points \(95 % interval: -?\d+\.\d to \d+\.\d\)/);
  expect(result.command).toBe('npx limbeck distill small.yaml');
  // What `label` asked in this folder, this run asked.
  expect(result.teacherCalls).toBeGreaterThan(700);
});

test('distill of a finished run, --json: an object a line, the result last', async () => {
  const { code, out, err } = await limbeck('distill', 'small.yaml', '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = jsonLines(out);
  expect(lines.map(({ type }) => type)).toEqual(['log', 'result']);
  const { type: _, ...result } = lines.at(-1)!;
  expect(result).toEqual(resultFile());
});

test('eval measures what result.json says', async () => {
  const { code, out } = await limbeck('eval', 'runs/small', '--json');
  expect(code).toBe(0);
  const { accuracy, macroF1 } = resultFile().student;
  expect(resultOf(out)).toMatchObject({ type: 'result', split: 'test', samples: 240, accuracy, macroF1 });
  const file = 'runs/small/student/onnx/model_quantized.onnx';
  const int8 = await limbeck('eval', 'runs/small', '--model', file);
  const percent = `${(100 * accuracyOf(resultFile().studentInt8!)).toFixed(2)} %`;
  expect(int8).toMatchObject({ code: 0, out: expect.stringContaining(`accuracy ${percent}`) });
});

test('export and report write the same again', async () => {
  const files = [
    'student/onnx/model.onnx',
    'student/onnx/model_quantized.onnx',
    'student/README.md',
    'report.html',
  ];
  const hashes = () => files.map((name) => [name, fileHash(place.path('runs/small', name))]);
  const before = hashes();
  const exported = await limbeck('export', 'runs/small');
  expect(exported).toMatchObject({ code: 0, out: expect.stringMatching(/onnx\/model\.onnx +\d/) });
  expect(hashes()).toEqual(before);
  const reported = await limbeck('report', 'runs/small');
  expect(reported).toMatchObject({ code: 0, out: 'runs/small/report.html\n' });
  expect(hashes()).toEqual(before);
});

test('store ls, verify and prune', async () => {
  const listed = await limbeck('store', 'ls', '--store', 'store', '--json');
  const { spaces } = resultOf(listed.out) as { spaces: { tap: string; samples: number; id: string }[] };
  expect(listed.code).toBe(0);
  const logits = spaces.find(({ tap }) => tap === 'logits');
  // The training texts and the test texts, each once.
  const asked = await prepareRecipeData(
    { recipe: smallRecipe(), options: place.options('small') },
    { tokenizer: await useLiteTokenizer() },
  );
  const distinct = [asked.splits.train, asked.splits.test].map(
    (split) => new Set(Array.from({ length: split.size }, (_, i) => split.text(i))).size,
  );
  asked.close();
  expect(distinct[0]).toBe(resultFile().teacherCalls);
  expect(logits?.samples).toBe(distinct[0]! + distinct[1]!);
  const verified = await limbeck('store', 'verify', '--store', 'store');
  expect(verified).toMatchObject({ code: 0, out: expect.stringMatching(/answers, sound/) });
  const pruned = await limbeck('store', 'prune', '--store', 'store', '--all');
  expect(pruned).toMatchObject({ code: 0, out: expect.stringMatching(/are free again/) });
  expect(await limbeck('store', 'ls', '--store', 'store')).toMatchObject({
    code: 0,
    out: 'The store is empty.\n',
  });
});

describe('what cannot be done', () => {
  test('ends with 1 or 2 and one JSON line', async () => {
    const other = await limbeck('distill', 'small.yaml', '--seed', '9', '--out', 'runs/small', '--json');
    expect(other.code).toBe(1);
    expect(resultOf(other.out)).toMatchObject({
      type: 'error',
      code: 'run.other-recipe',
      remedy: expect.any(String),
    });
    place.write('unlearnable.yaml', smallRecipeText().replace('epochs: 15', 'epoch: 15'));
    const wrong = await limbeck('distill', 'unlearnable.yaml', '--json');
    expect(wrong.code).toBe(2);
    expect(resultOf(wrong.out)).toMatchObject({
      type: 'error',
      code: 'recipe.unknown-key',
      where: expect.stringMatching(/^unlearnable.yaml:\d+:\d+$/),
      remedy: "Did you mean 'epochs'?",
    });
    // A path that is not what it should be is the person's to mend, like a recipe.
    expect(await limbeck('export', 'runs')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/run.not-a-run/),
    });
  });
});

test('an int8 student that loses more than allowed ends train with 3', async () => {
  // Test texts that stand between two classes, labelled as the float32 student answers: it is right on all of them,
  // and where int8 turns an answer, int8 is wrong. So many that what it loses is more than chance.
  const mixed = Array.from({ length: 12_000 }, (_, i) => {
    const [a, b] = [glosses[i % 1200]!, glosses[(i * 7 + 311 + Math.floor(i / 1200)) % 1200]!];
    return {
      id: `mixed-${i}`,
      text: `${a.text.slice(0, 60)} ${b.text.slice(0, 60)}`,
      label: a.label,
      split: 'test',
    };
  });
  const own = glosses.map((gloss, i) => ({ ...gloss, split: i % 20 === 0 ? 'validation' : 'train' }));
  const write = (test: object[]) => writeJsonLines(place.path('data.jsonl'), [...own, ...test]);
  const overrides = [
    'data.source.splitField=split',
    'data.splits={}',
    'data.labelsPerClass=all',
    'training.epochs=3',
    'training.earlyStopping=false',
  ];
  write(mixed);
  const recipe = smallRecipe([...overrides, 'export.int8.maxDrop=1'], 'gate');
  const options = place.options('first');
  await train(recipe, options);
  const answers = await answersTo(recipe, options);
  const nearest = mixed
    .filter(({ text }) => answers.has(text))
    .toSorted((a, b) => answers.get(a.text)!.margin - answers.get(b.text)!.margin)
    .slice(0, 1500);
  write(nearest.map((row) => ({ ...row, label: answers.get(row.text)!.label })));

  place.write('gate.yaml', smallRecipeText('gate'));
  const sets = overrides.flatMap((override) => ['--set', override]);
  sets.push('--set', 'export.int8.maxDrop=0', '--set', 'report.examples=false');
  const { code, out, err } = await limbeck('train', 'gate.yaml', ...sets);
  expect({ code, err }).toEqual({ code: 3, err: expect.stringMatching(/the int8 student loses|int8 loses/) });
  expect(out).toMatch(/^student int8/m);
  const { gate, student, studentInt8 } = resultFile('gate');
  expect(student.accuracy).toBeGreaterThan(0.99);
  expect(gate).toMatchObject({ maxDrop: 0, passed: false });
  expect(gate!.drop).toBeGreaterThan(0);
  expect(gate!.layers!.length).toBeGreaterThan(0);
  const losses = gate!.layers!.map(({ loss }) => loss);
  expect(losses).toEqual([...losses].sort((a, b) => b - a));
  expect(err).toContain(`${gate!.layers![0]!.layer} (`);
  expect(gate!.interval!.low).toBeGreaterThan(0);
  expect(existsSync(place.path('runs/gate/student/onnx/model.onnx'))).toBe(true);
  // What must not ship is not where it would: it is kept beside.
  expect(existsSync(place.path('runs/gate/student/onnx/model_quantized.onnx'))).toBe(false);
  expect(studentInt8!.file).toBe('rejected/model_quantized.onnx');
  expect(existsSync(place.path(`runs/gate/${studentInt8!.file}`))).toBe(true);

  // Report and card say what is in the folder, and nothing of what the samples are; drawn again, they say the same.
  const shared = ['report.html', 'report.json', 'result.json', 'student/README.md'];
  const contents = () => shared.map((name) => readFileSync(place.path('runs/gate', name), 'utf8'));
  const before = contents();
  expect(before[0]).toContain('The int8 file does not ship');
  expect(before[3]).not.toMatch(/q8|model_quantized/);
  for (const { text } of [...nearest.slice(0, 400), ...own.slice(0, 400)])
    expect(before.join().includes(text)).toBe(false);
  expect(await limbeck('report', 'runs/gate')).toMatchObject({ code: 0, out: 'runs/gate/report.html\n' });
  expect(contents()).toEqual(before);
});

/** The float32 student's answers to the test texts of a run, and how near the second was. */
async function answersTo(
  recipe: ReturnType<typeof smallRecipe>,
  options: ReturnType<RunPlace['options']>,
): Promise<Map<string, { label: string; margin: number }>> {
  const dataset = await prepareRecipeData({ recipe, options }, { tokenizer: await useLiteTokenizer() });
  const session = await createNodeEngine().load(`${options.out}/student/onnx/model.onnx`);
  const answers = new Map<string, { label: string; margin: number }>();
  try {
    for (const batch of splitBatches(dataset.splits.test, 64)) {
      const { logits } = await session.run(takenFeeds(session, batch.columns), { logits: null });
      const classes = dataset.labels.length;
      for (let row = 0; row < batch.filled; row++) {
        const values = [...(logits.data as Float32Array).subarray(row * classes, (row + 1) * classes)];
        const [first, second] = values.toSorted((a, b) => b - a);
        answers.set(dataset.splits.test.text(batch.ordinals[row]!), {
          label: dataset.labels[values.indexOf(first!)]!,
          margin: first! - second!,
        });
      }
    }
  } finally {
    await session.release();
    dataset.close();
  }
  return answers;
}
