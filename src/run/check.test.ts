import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSummary } from '../cli/check-summary.ts';
import { parseRecipe } from '../recipe/parse.ts';
import { check, type DataCheck } from './check.ts';
import type { RunOptions } from './context/run-options.ts';
import { train } from './train.ts';

const PLAIN = { bold: String, yellow: String, dim: String };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-check-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const ANIMALS = ['cat', 'dog', 'horse', 'owl', 'pig', 'hen', 'cow', 'fox'];
const words = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => ANIMALS[(seed * (i + 3) + i) % ANIMALS.length]).join(' ');

function checkCsv(lines: readonly string[], data = ''): Promise<DataCheck> {
  writeFileSync(join(folder, 'mails.csv'), `text,label\n${lines.join('\n')}\n`);
  const recipe = parseRecipe(`
name: mails
data:
  source: { kind: csv, path: mails.csv }
  splits: { validation: 0.2, test: 0.2 }
  maxLength: 16
  buckets: [8, 16]
${data}
student: { kind: text-conv }`);
  return check(recipe, {
    out: join(folder, 'run'),
    recipeFolder: folder,
    storeFolder: join(folder, 'store'),
  });
}

/** An image of one colour; see-through where it has four channels. */
const png = (red: number, channels: 3 | 4): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels, background: { r: red, g: 100, b: 0, alpha: 0.5 } } })
    .png()
    .toBuffer();

const rows = (count: number, length: (i: number) => number, from = 0) =>
  Array.from(
    { length: count },
    (_, i) => `${i + from} ${words(length(i), i + from)},${i % 2 ? 'ham' : 'spam'}`,
  );

describe('check', () => {
  it('counts rows, classes by split and lengths, and shows what models see', async () => {
    const found = await checkCsv(rows(100, (i) => 3 + (i % 5)));
    expect(found).toMatchObject({
      title: 'mails.csv',
      formats: ["mails.csv: utf-8, columns divided by ','"],
      unit: 'texts',
      rows: 100,
      broken: { count: 0 },
      splits: { train: 60, labelled: 60, validation: 20, test: 20 },
      classes: [
        { name: 'ham', train: 30, labelled: 30, validation: 10, test: 10 },
        { name: 'spam', train: 30, labelled: 30, validation: 10, test: 10 },
      ],
      lengths: { maxLength: 16, cut: 0 },
      warnings: [],
    });
    expect(found.samples.length).toBeGreaterThan(0);
    for (const { text, ids = [], pieces = [], label } of found.samples) {
      expect(['ham', 'spam']).toContain(label);
      expect(pieces.join('').replaceAll('▁', ' ').trim()).toBe(text);
      expect(ids).toHaveLength(pieces.length);
    }
    const shown = checkSummary(found, PLAIN);
    expect(shown).toMatch(/^mails\.csv: 100 rows, 100 texts\nmails\.csv: utf-8, columns divided by ','\n/);
    expect(shown).toMatch(/^in all +60 +60 +20 +20$/m);
    expect(shown).toContain('Nothing to warn of.');
  });

  it('lists the classes of outputs with several a sample, and of those beside the main one', async () => {
    const lines = Array.from({ length: 40 }, (_, i) =>
      JSON.stringify({
        text: `${i} ${words(4, i)}`,
        tags: i % 2 ? ['red'] : ['red', 'red', 'blue'],
        kind: i % 4 ? 'a' : 'b',
      }),
    );
    writeFileSync(join(folder, 'mails.jsonl'), lines.join('\n'));
    const recipe = parseRecipe(`
name: mails
data:
  source: { kind: jsonl, path: mails.jsonl }
  splits: { validation: 0.2, test: 0.2 }
outputs: { tags: { target: classes, field: tags }, kind: { target: class, field: kind } }
student: { kind: text-conv }`);
    const found = await check(recipe, {
      out: join(folder, 'run'),
      recipeFolder: folder,
      storeFolder: join(folder, 'store'),
    });
    const [tags, kind] = found.outputs;
    expect([found.classes, tags?.name, kind?.name]).toEqual([[], 'tags', 'kind']);
    const counted = Object.fromEntries((tags?.classes ?? []).map(({ name, ...counts }) => [name, counts]));
    expect(counted.red).toEqual(found.splits);
    const all = (output: typeof kind, name: string) => {
      const { train, validation, test } = output?.classes.find((one) => one.name === name) ?? {};
      return (train ?? 0) + (validation ?? 0) + (test ?? 0);
    };
    expect([all(tags, 'blue'), all(kind, 'a'), all(kind, 'b')]).toEqual([20, 30, 10]);
    expect(checkSummary(found, PLAIN)).toMatch(/^tags +train +with label +validation +test\nred +\d+/m);
  });

  it('shows spans by their kinds', async () => {
    const lines = Array.from({ length: 40 }, (_, i) =>
      JSON.stringify({ text: `see cat ${i}`, spans: i % 2 ? [{ start: 4, end: 7, label: 'ANIMAL' }] : [] }),
    );
    writeFileSync(join(folder, 'mails.jsonl'), lines.join('\n'));
    const recipe = parseRecipe(`
name: mails
task: token-classification
data:
  source: { kind: jsonl, path: mails.jsonl, labelField: spans }
  splits: { validation: 0.2, test: 0.2 }
student: { kind: text-attention }`);
    const options = { out: join(folder, 'run'), recipeFolder: folder, storeFolder: join(folder, 'store') };
    const { outputs, samples } = await check(recipe, options);
    expect(outputs[0]?.classes.map(({ name }) => name)).toEqual(['ANIMAL']);
    expect(['no spans', 'a span: ANIMAL']).toContain(samples[0]?.label);
  });

  it('tells how many texts are cut, and what length would be enough', async () => {
    const found = await checkCsv([...rows(50, () => 4), ...rows(50, () => 40, 50)]);
    const { longest, cut, enough } = found.lengths!;
    expect(cut).toBe(50);
    expect(longest).toBeGreaterThan(40);
    expect(enough).toBeGreaterThanOrEqual(longest);
    expect(enough).toBeLessThan(longest + 3);
    expect(found.warnings).toEqual([
      `50 of 100 texts (50.0 %) have more than data.maxLength (16) tokens and are cut; ${enough} would cut one of a hundred at most`,
    ]);
  });

  it('tells broken rows by reason and place, and what a run would warn of', async () => {
    const found = await checkCsv([...rows(60, () => 5), 'one column', ',spam', ...rows(40, () => 5, 60)]);
    expect(found.broken).toMatchObject({
      count: 2,
      reasons: { columns: 1, text: 1 },
      first: [{ where: 'mails.csv:62' }, { where: 'mails.csv:63' }],
    });
    expect(found.warnings).toEqual([
      expect.stringMatching(/^2 broken rows were left out.*; a run lists them in broken-rows.jsonl\)$/),
    ]);
    expect(checkSummary(found, PLAIN)).toMatch(/Broken rows:\n {2}mails\.csv:62: 1 columns where/);
  });

  it('tells texts whose words the tokenizer does not know', async () => {
    const strange = Array.from({ length: 30 }, (_, i) => `Der Fuß ${i} ist groß,${i % 2 ? 'ham' : 'spam'}`);
    const { warnings } = await checkCsv([...rows(60, () => 4, 100), ...strange]);
    expect(warnings).toEqual([
      expect.stringMatching(/^30 of 90 texts \(33\.3 %\) hold 60 tokens that the tokenizer does not know/),
    ]);
  });

  it('lists the largest and the smallest of many classes', async () => {
    const lines = Array.from({ length: 300 }, (_, i) => `${i} ${words(4, i)},class ${i % 30}`);
    const shown = checkSummary(await checkCsv(lines), PLAIN);
    expect(shown).toMatch(/^\.\.\. 10 more classes$/m);
    expect(shown.match(/^class \d+ /gm)).toHaveLength(20);
  });

  it('shows images as models see them, and what is odd about them', async () => {
    for (let i = 0; i < 40; i++) {
      const bytes = await png(5 * i, i === 9 ? 4 : 3);
      writeFileSync(join(folder, `${i}.png`), i === 7 ? bytes.subarray(0, 60) : bytes);
    }
    const lines = Array.from(
      { length: 40 },
      (_, i) => `${i === 11 ? '/etc/hosts' : `${i}.png`},${i},${i % 2 ? 'a' : 'b'}`,
    );
    writeFileSync(join(folder, 'images.csv'), `file,name,kind\n${lines.join('\n')}\n`);
    const recipe = parseRecipe(`
name: images
task: image-classification
inputs: { image: { modality: image, field: file, size: 8 } }
data:
  source: { kind: csv, path: images.csv, labelField: kind, idField: name }
  splits: { validation: 4, test: 4 }
student: { kind: resnet }`);
    const found = await check(recipe, {
      out: join(folder, 'run'),
      recipeFolder: folder,
      storeFolder: join(folder, 'store'),
    });
    expect(found.broken.first.map(({ where, reason }) => [where, reason])).toEqual([
      ['7 (images.csv:9)', 'image'],
      ['11 (images.csv:13)', 'other'],
    ]);
    expect(found.inputs).toEqual([
      { name: 'image', missing: 0, facts: [{ fact: 'alpha', samples: 1, first: '9 (images.csv:11)' }] },
    ]);
    const [sample] = found.samples;
    expect(sample).toMatchObject({ dims: [3, 8, 8], label: expect.stringMatching(/^[ab]$/) });
    expect(checkSummary(found, PLAIN)).toContain('image: 1 alpha (the first: 9 (images.csv:11))');
  });

  it.each([
    ['{ kind: vit, patch: 3 }', 'recipe.invalid', 'student.patch', 'patches of 3 pixels do not divide 8 x 8'],
    [
      '{ kind: resnet }\ncompress: [{ kind: low-rank }, { kind: prune, skip: [nowhere] }]\nexport: { int8: false }',
      undefined,
      '',
      '',
    ],
    [
      '{ kind: resnet }\ncompress: [{ kind: prune, skip: [nowhere] }]',
      'compress.invalid',
      'compress[0]',
      'no weight of the student',
    ],
  ])(
    'builds the student, and refuses sizes and transforms that do not fit: %s',
    async (student, code, where, message) => {
      for (let i = 0; i < 12; i++) writeFileSync(join(folder, `${i}.png`), await png(20 * i, 3));
      const lines = Array.from({ length: 12 }, (_, i) => `${i}.png,${i % 2 ? 'a' : 'b'}`);
      writeFileSync(join(folder, 'images.csv'), `file,label\n${lines.join('\n')}\n`);
      const recipe = parseRecipe(`
name: images
task: image-classification
inputs: { image: { modality: image, field: file, size: 8 } }
data: { source: { kind: csv, path: images.csv }, splits: { validation: 2, test: 2 } }
student: ${student}`);
      const options = { out: join(folder, 'run'), recipeFolder: folder, storeFolder: join(folder, 'store') };
      const started: string[] = [];
      const onEvent: RunOptions['onEvent'] = (event) => {
        if (event.type === 'stage-start') started.push(event.stage);
      };
      const found = check(recipe, options);
      if (!code) return void (await expect(found).resolves.toBeDefined());
      await expect(found).rejects.toMatchObject({
        code,
        where: expect.stringContaining(where),
        message: expect.stringContaining(message),
      });
      // A run says so as early.
      await expect(train(recipe, { ...options, onEvent })).rejects.toMatchObject({ code });
      // What the recipe alone shows is told before any data are read.
      expect(started).toEqual(code === 'recipe.invalid' ? [] : ['data']);
    },
  );

  it('tells boxes in words, and nothing of a value that is not there', async () => {
    const box = (label: string) => ({ label, x: 0.1, y: 0.1, width: 0.4, height: 0.4 });
    const lines = Array.from({ length: 12 }, (_, i) => ({
      image: `${i}.png`,
      boxes: i % 2 ? [box('cat'), box('dog')] : [],
    }));
    const shown = async (target: string, values: readonly object[], rest: string) => {
      writeFileSync(join(folder, 'rows.jsonl'), values.map((row) => JSON.stringify(row)).join('\n'));
      const recipe = parseRecipe(
        `name: a\ndata: { source: { kind: jsonl, path: rows.jsonl }, splits: { validation: 2, test: 2 } }\noutputs: { y: { target: ${target} } }\n${rest}`,
      );
      const options = { out: join(folder, 'run'), recipeFolder: folder, storeFolder: join(folder, 'store') };
      return check(recipe, options);
    };
    for (let i = 0; i < 12; i++) writeFileSync(join(folder, `${i}.png`), await png(20 * i, 3));
    const found = await shown(
      'boxes, field: boxes, grid: [2, 2]',
      lines,
      'task: object-detection\ninputs: { image: { modality: image, field: image, size: 8, fit: stretch } }\nstudent: { kind: resnet }',
    );
    expect(found.samples.map(({ label }) => label)).toEqual([
      expect.stringMatching(/^(2 boxes: cat, dog|no boxes)$/),
    ]);
    const numbers = Array.from({ length: 12 }, (_, i) => ({
      text: `${i} ${words(4, i)}`,
      ...(i >= 6 && { n: i }),
    }));
    const told = checkSummary(
      await shown('number, field: n', numbers, 'student: { kind: text-conv }'),
      PLAIN,
    );
    expect(told).not.toContain('NaN');
  });

  it('stops when it is asked to', async () => {
    writeFileSync(join(folder, 'mails.csv'), `text,label\n${rows(10, () => 4).join('\n')}\n`);
    const recipe = parseRecipe(
      'name: a\ndata: { source: { kind: csv, path: mails.csv } }\nstudent: { kind: text-conv }',
    );
    const signal = AbortSignal.abort();
    const options = { out: 'run', recipeFolder: folder, storeFolder: join(folder, 'store'), signal };
    await expect(check(recipe, options)).rejects.toMatchObject({ code: 'run.interrupted' });
  });
});
