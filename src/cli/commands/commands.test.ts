import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { LimbeckError } from '../../errors.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { recipeJsonSchema } from '../../recipe/schema.ts';
import { CLASS_METRICS } from '../../report/result.ts';
import type { EvaluationResult, ExportResult, LabelResult, LimbeckApi } from '../../run/api.ts';
import { runCli } from '../testing/run-cli.ts';
import { COMMANDS } from './index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limbeck-commands-'));
  await mkdir(join(folder, 'runs/a'), { recursive: true });
  await writeFile(
    join(folder, 'a.yaml'),
    'name: a\ndata: { source: { kind: wordnet-glosses } }\nstudent: { kind: text-conv }\nteacher: { kind: use-lite }\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

const run = (args: string[], api: Partial<LimbeckApi> = {}) => runCli(args, folder, api);

describe('the command line', () => {
  test('every command has help with a summary, and examples where it takes something', async () => {
    for (const create of COMMANDS) {
      const name = (await create({ arguments: [] } as never)).name();
      const { code, out } = await run([name, '--help']);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`Examples?:\n  limbeck ${name}`));
    }
  });

  test('an unknown command is answered with the nearest', async () => {
    const { code, out, err } = await run(['distil']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe("error: unknown command 'distil'\n(Did you mean distill?)\nSee limbeck --help.\n");
  });

  test('with --json errors are JSON', async () => {
    const { code, out, err } = await run(['distill', '--json']);
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(JSON.parse(out)).toEqual({
      type: 'error',
      code: 'cli.usage',
      message: "missing required argument 'recipe'",
    });
  });

  test('an error about a key of the recipe is told with its line, by the command and by doctor', async () => {
    const error = new LimbeckError('recipe.invalid', '3 heads do not divide 8', { where: 'student.width' });
    const distill = await run(['distill', 'a.yaml'], {
      distill: async () => {
        throw error;
      },
    });
    expect(distill.err).toContain('  at: a.yaml:3:1, student.width\n');
    const finding = {
      name: 'student',
      status: 'problem' as const,
      found: error.message,
      where: 'student.width',
    };
    const doctor = await run(['doctor', 'a.yaml'], { examineRecipe: async () => [finding] });
    expect(doctor.out).toContain('3 heads do not divide 8 (a.yaml:3:1, student.width)');
  });

  test('too many arguments are not passed over', async () => {
    expect(await run(['report', 'runs/a', 'runs/b'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/too many/),
    });
  });
});

describe('init', () => {
  test('a recipe that cannot be written is refused before the data are looked at', async () => {
    // The data are not there: had they been looked at, the error would be about them.
    const init = (file: string) => run(['init', file, '--data', 'none.csv']);
    expect(await init('a.yaml/below.yaml')).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /a.yaml' is not a folder \[cli.usage\]\n {2}at: .*a.yaml\n {2}do: Give the path/,
      ),
    });
    expect((await init('runs')).err).toContain('the recipe cannot be written: it is not a file');
    expect((await init('a.yaml')).err).toContain('the file exists already');
  });

  test('does not write over a file, unless told to', async () => {
    await writeFile(join(folder, 'there.yaml'), 'mine');
    expect(await run(['init', 'there.yaml'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/cli.file-exists/),
    });
    expect(await readFile(join(folder, 'there.yaml'), 'utf8')).toBe('mine');
    expect(await run(['init', 'there.yaml', '--force', '--json'])).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, 'there.yaml'), 'utf8')).toMatch(/^name: there$/m);
  });

  test('refuses what makes no recipe, and writes nothing then', async () => {
    const { code, err } = await run(['init', 'no.yaml', '--source', 'cvs']);
    expect(code).toBe(2);
    expect(err).toMatch(/Did you mean 'csv'\?/);
    await expect(readFile(join(folder, 'no.yaml'))).rejects.toThrow('ENOENT');
  });

  describe('--data', () => {
    const mails = (path: string) =>
      writeFile(
        join(folder, path),
        Buffer.from(
          `nr;body;category\n${Array.from({ length: 30 }, (_, i) => `${i};Où est le café ${'très '.repeat(i)}?;${i % 2 ? 'ham' : 'spam'}`).join('\n')}\n`,
          'latin1',
        ),
      );

    test('looks into the file, and proposes what it finds', async () => {
      await mails('mails.csv');
      const { code, out } = await run(['init', 'recipes/mails.yaml', '--data', 'mails.csv']);
      expect(code).toBe(0);
      expect(out).toMatch(/^CSV, divided by ';': 30 rows\nit is not UTF-8; it reads well as windows-1252\n/);
      expect(out).toMatch(/^class: category, 2 classes: spam \(15\), ham \(15\)$/m);
      const recipe = parseRecipe(await readFile(join(folder, 'recipes/mails.yaml'), 'utf8'));
      expect(recipe).toMatchObject({
        data: {
          source: {
            kind: 'csv',
            path: '../mails.csv',
            delimiter: ';',
            encoding: 'windows-1252',
            textField: 'body',
            labelField: 'category',
          },
        },
        teacher: { kind: 'use-lite' },
      });
      expect(recipe.data.maxLength).toBeGreaterThan(32);
      expect(recipe.data.maxLength % 8).toBe(0);
    });

    test('gives what was seen as JSON, and lets --set say otherwise', async () => {
      await mails('mails.csv');
      const options = ['--data', 'mails.csv', '--set', 'data.maxLength=20', '--json'];
      const { out } = await run(['init', 'set.yaml', ...options]);
      expect(JSON.parse(out)).toMatchObject({
        seen: expect.arrayContaining(['columns: nr, body, category']),
      });
      expect(parseRecipe(await readFile(join(folder, 'set.yaml'), 'utf8')).data.maxLength).toBe(20);
    });

    const TEXTS = Array.from({ length: 60 }, (_, i) => `a text that tells of ${i} things`);
    const table = (names: string, row: (i: number) => string) =>
      `${names}\n${TEXTS.map((text, i) => `${text},${row(i)}`.replace(/,$/, '')).join('\n')}\n`;
    const boxes = (names: string, row: (i: number) => string) =>
      `image,${names},label\n${TEXTS.map((_, i) => `${i}.png,${row(i)},${i % 2 ? 'dog' : 'cat'}`).join('\n')}\n`;
    const isBoxes = (grid: number) => ({
      task: 'object-detection',
      outputs: { boxes: { target: 'boxes', field: 'boxes', grid: [grid, grid] } },
    });

    test.each<[string, string, readonly string[], object]>([
      [
        'tags.csv',
        table('text,tags', (i) => (i % 3 ? 'a|b' : 'b')),
        [],
        { teacher: { kind: 'use-lite' }, outputs: { logits: { target: 'classes', separator: '|' } } },
      ],
      [
        'tags.csv',
        table('text,tags', (i) => (i % 3 ? 'a|b' : 'b')),
        ['--teacher', 'none'],
        { objective: [{ kind: 'bce' }] },
      ],
      [
        'number.csv',
        table('text,score', (i) => `${i / 7}`),
        [],
        { outputs: { number: { target: 'number', field: 'score' } } },
      ],
      [
        'texts.csv',
        table('text', () => ''),
        [],
        {
          task: 'feature-extraction',
          teacher: { kind: 'use-lite', train: 'none' },
          student: { kind: 'static-embedding' },
          outputs: { sentence_embedding: { target: 'embedding' } },
        },
      ],
      [
        'image-tags.csv',
        `image,tags\n${TEXTS.map((_, i) => `${i}.png,${i % 3 ? 'a|b' : 'b'}`).join('\n')}`,
        [],
        { task: 'image-classification', outputs: { logits: { target: 'classes', field: 'tags' } } },
      ],
      [
        'pitch.csv',
        `audio,pitch\n${TEXTS.map((_, i) => `${i}.wav,${i / 7}`).join('\n')}`,
        [],
        { task: 'audio-classification', outputs: { number: { target: 'number', field: 'pitch' } } },
      ],
      [
        'corners.csv',
        boxes('x1,y1,x2,y2', (i) => `1,2,${3 + i},40`),
        [],
        { ...isBoxes(16), data: { source: { boxFields: ['x1', 'y1', 'x2', 'y2'], format: 'xyxy' } } },
      ],
      [
        'parts.csv',
        boxes('x,y,width,height', (i) => `0.${i},0.1,0.2,0.3`),
        [],
        { ...isBoxes(16), data: { source: { format: 'xywh', unit: 'relative' } } },
      ],
      [
        'lists.jsonl',
        TEXTS.map((_, i) =>
          JSON.stringify({ image: `${i}.png`, boxes: [{ label: 'a', box: [1, 2, 30, i] }] }),
        ).join('\n'),
        [],
        { task: 'object-detection', outputs: { boxes: { unit: 'pixels' } } },
      ],
      [
        'mails.csv',
        table('text,label', (i) => `${i % 2}`),
        ['--teacher', 'chat', '--set', 'teacher.baseURL=http://127.0.0.1:1/v1', '--set', 'teacher.model=m'],
        { teacher: { kind: 'chat', model: 'm' }, data: { source: { labelField: 'label' } } },
      ],
    ])('proposes what %s can teach (%#)', async (name, content, options, expected) => {
      await writeFile(join(folder, name), content);
      const { code, err } = await run(['init', 'proposed.yaml', '--data', name, '--force', ...options]);
      expect(err).toBe('');
      expect(code).toBe(0);
      expect(parseRecipe(await readFile(join(folder, 'proposed.yaml'), 'utf8'))).toMatchObject(expected);
    });

    test('proposes boxes for a folder as COCO is laid out, with its images and its parts', async () => {
      const images = [{ id: 1, file_name: 'a.png', width: 300, height: 240 }];
      const content = JSON.stringify({ images, annotations: [], categories: [{ id: 1, name: 'dog' }] });
      await mkdir(join(folder, 'coco', 'annotations'), { recursive: true });
      for (const part of ['train2017', 'val2017']) {
        await writeFile(join(folder, 'coco', 'annotations', `instances_${part}.json`), content);
        await mkdir(join(folder, 'coco', part));
        await writeFile(join(folder, 'coco', part, 'a.png'), '');
      }
      expect(await run(['init', 'coco.yaml', '--data', 'coco'])).toMatchObject({ code: 0, err: '' });
      expect(parseRecipe(await readFile(join(folder, 'coco.yaml'), 'utf8'))).toMatchObject({
        ...isBoxes(28),
        data: {
          source: {
            ...{ kind: 'coco', annotations: 'coco/annotations/instances_train2017.json' },
            images: 'coco/train2017',
            validation: { annotations: 'coco/annotations/instances_val2017.json', images: 'coco/val2017' },
          },
        },
      });
    });

    test('tells what is missing, and how to give it', async () => {
      await writeFile(
        join(folder, 'mails.csv'),
        table('text,label', (i) => `${i % 2}`),
      );
      await writeFile(join(folder, 'files.csv'), `file\n${TEXTS.map((_, i) => `${i}.png`).join('\n')}`);
      await mkdir(join(folder, 'flat'));
      await writeFile(join(folder, 'flat', 'a.png'), '');
      await writeFile(join(folder, 'flat', 'labels.csv'), 'file,label');
      for (const [data, teacher, message] of [
        ['mails.csv', 'chat', /--set teacher\.baseURL=\.\.\. --set teacher\.model=/],
        ['mails.csv', 'onnx', /Give it: --set teacher\.model=/],
        ['files.csv', 'none', /cli\.no-answer.*labelField=COLUMN.*--teacher onnx-image/s],
        ['flat', 'none', /what its images show.*--data \S*labels\.csv/s],
      ] as const) {
        const { code, err } = await run(['init', 'missing.yaml', '--data', data, '--teacher', teacher]);
        expect(code).toBe(2);
        expect(err).toMatch(message);
      }
    });

    test('writes nothing where there is no such file, or no text in it', async () => {
      await writeFile(join(folder, 'numbers.csv'), 'a,b\n1,2\n1,2\n1,3\n');
      for (const [data, error] of [
        ['none.csv', /data.missing/],
        ['numbers.csv', /cli.no-text/],
      ] as const) {
        expect(await run(['init', 'no.yaml', '--data', data])).toMatchObject({
          code: 2,
          err: expect.stringMatching(error),
        });
        await expect(readFile(join(folder, 'no.yaml'))).rejects.toThrow('ENOENT');
      }
      const both = ['init', 'no.yaml', '--data', 'numbers.csv', '--source', 'csv'];
      expect(await run(both)).toMatchObject({ code: 2, err: expect.stringMatching(/cli.usage/) });
    });
  });

  test('makes a name of any file', async () => {
    await run(['init', '.my recipe é.yaml', '--teacher', 'none']);
    expect(await readFile(join(folder, '.my recipe é.yaml'), 'utf8')).toMatch(/^name: my-recipe-$/m);
  });
});

test('schema prints the JSON schema', async () => {
  const { code, out } = await run(['schema']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual(recipeJsonSchema());
});

describe('eval', () => {
  const result: EvaluationResult = {
    split: 'test',
    model: 'model.onnx',
    samples: 10,
    metrics: CLASS_METRICS.map((metric) => ({ ...metric, value: 0.6 })),
    accuracy: 0.6,
    macroF1: 0.5,
    classes: [{ label: 'noun.act', samples: 10, precision: 1, recall: 0.6, f1: 0.75 }],
  };

  test("takes a run's folder", async () => {
    const evaluate = vi.fn(async (..._: Parameters<LimbeckApi['evaluate']>) => result);
    const { code, out } = await run(['eval', 'runs/a', '--split', 'validation', '--model', 'm.onnx'], {
      evaluate,
    });
    expect(code).toBe(0);
    expect(out).toMatch(/noun.act +10 +100.0 % +60.0 % +75.0 %/);
    expect(evaluate.mock.calls[0]?.[0]).toBe(join(folder, 'runs/a'));
    expect(evaluate.mock.calls[0]?.[1]).toMatchObject({ split: 'validation', model: join(folder, 'm.onnx') });
  });

  test('or a recipe', async () => {
    const evaluate = vi.fn(async (..._: Parameters<LimbeckApi['evaluate']>) => result);
    const { out } = await run(['eval', 'a.yaml', '--json'], { evaluate });
    expect(evaluate.mock.calls[0]?.[0]).toMatchObject({ name: 'a' });
    expect(evaluate.mock.calls[0]?.[1]).toMatchObject({ out: join(folder, 'runs/a'), recipeFolder: folder });
    expect(JSON.parse(out)).toEqual({ type: 'result', ...result });
  });

  test('and refuses what is neither', async () => {
    expect(await run(['eval', 'runs/b'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no such recipe/),
    });
    expect(await run(['eval', 'runs/a', '--split', 'tset'])).toMatchObject({ code: 2 });
  });
});

describe('export and report', () => {
  const exported: ExportResult = {
    folder: '/x',
    files: [{ path: 'onnx/model.onnx', bytes: 2_400_000 }],
    gate: { maxDrop: 0.01, drop: 0.05, passed: false },
    metrics: CLASS_METRICS,
  };

  test('a gate that stays shut ends with 3, and says why', async () => {
    const { code, out, err } = await run(['export', 'runs/a'], { exportStudent: async () => exported });
    expect(code).toBe(3);
    expect(out).toMatch(/onnx\/model.onnx +2.4 MB/);
    expect(err).toMatch(/gate: the int8 student loses 5.00 points/);
    const json = await run(['export', 'runs/a', '--json'], { exportStudent: async () => exported });
    expect(json).toMatchObject({ code: 3, err: '' });
    expect(JSON.parse(json.out)).toMatchObject({ type: 'result', gate: { passed: false } });
  });

  test('need the folder of a run', async () => {
    for (const command of ['export', 'report']) {
      expect(await run([command, 'runs/none'])).toMatchObject({
        code: 2,
        err: expect.stringMatching(/cli.no-run/),
      });
      expect(await run([command, 'a.yaml'])).toMatchObject({ code: 2 });
    }
    const writeReport = async (run: string) => ({ file: join(run, 'report.html') });
    expect(await run(['report', 'runs/a'], { writeReport })).toMatchObject({
      code: 0,
      out: 'runs/a/report.html\n',
    });
  });
});

test('label tells what it did', async () => {
  const labels: LabelResult = {
    labelled: 700,
    reused: 300,
    repeated: 4,
    bytes: 1e6,
    seconds: 3,
    precision: 'int8',
    agreement: 0.9978,
  };
  const { out } = await run(['label', 'a.yaml'], { label: async () => labels });
  expect(out).toMatch(/int8 teacher, which decides as f32 does on 99.78 % .* answered 700 samples in 3.0 s/);
  expect(out).toMatch(/300 answers were in the store/);
  expect(out).toMatch(/4 samples occur more than once/);
});

describe('a hosted teacher', () => {
  test('doctor looks at a recipe, and says what is missing', async () => {
    const asked: unknown[] = [];
    const api: Partial<LimbeckApi> = {
      async examineRecipe({ name }, { online }) {
        asked.push([name, online]);
        return [
          { name: 'data', status: 'ok', found: 'mails: 10 to train on' },
          { name: 'key', status: 'problem', found: 'MY_KEY is not set', remedy: 'Set it.' },
        ];
      },
    };
    const { code, out } = await run(['doctor', 'a.yaml', '--online'], api);
    expect(code).toBe(1);
    expect(out).toMatch(/✔ data\s+mails: 10 to train on\n✘ key\s+MY_KEY is not set\n\s+Set it\./);
    expect(asked).toEqual([['a', true]]);
  });

  test('doctor calibrates the student of a recipe, and nothing without one', async () => {
    const api: Partial<LimbeckApi> = {
      examineRecipe: async (_, { calibrate }) => [
        { name: 'calibration', status: 'ok', found: String(calibrate) },
      ],
    };
    expect((await run(['doctor', 'a.yaml', '--calibrate'], api)).out).toMatch(/calibration\s+true/);
    expect(await run(['doctor', '--calibrate'], api)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/cli.usage/),
    });
  });

  test('plan tells who reads the samples, and the price', async () => {
    const api: Partial<LimbeckApi> = {
      plan: async () => ({
        stages: [],
        store: { present: 0, missing: 300, bytes: 0 },
        measuredOn: 'one core',
        price: {
          host: 'api.example.com',
          model: 'm-1',
          samples: { check: 10, train: 200, validation: 0, test: 90 },
          requests: 301,
          inputTokens: 60_000,
          outputTokens: 300,
          money: 0.0123,
          currency: 'USD',
          spentTokens: 0,
          spentMoney: 0,
          budget: { money: 0.01 },
          notes: ['tokens are counted as one for four bytes of text'],
        },
      }),
    };
    const { out } = await run(['plan', 'a.yaml'], api);
    expect(out).toContain(
      'Samples that are sent to api.example.com (m-1), which can read them: 10 to check the teacher, 200 to train on, 90 to test.',
    );
    expect(out).toContain('about 301 requests, 60,300 tokens, 0.0123 USD');
    expect(out).toContain('the run would stop on the way');
  });

  test('a budget that is used up has an exit code of its own', async () => {
    const api: Partial<LimbeckApi> = {
      distill: async () => {
        throw new LimbeckError('teacher.budget', 'used up', { where: 'teacher.budget' });
      },
    };
    expect((await run(['distill', 'a.yaml'], api)).code).toBe(4);
  });
});
