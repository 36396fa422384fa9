import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { check, parseRecipe } from '../../index.ts';
import type { SourceRow } from '../sample.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { chexpert, FINDINGS } from './chexpert.ts';

const newFolder = temporaryFolders();
const HEADER = ['Path', 'Sex', 'Age', 'Frontal/Lateral', 'AP/PA', ...FINDINGS].join(',');

/** A path as CheXpert has them, and its row: findings by name, empty where there is none. */
const pathOf = (split: string, patient: number, view = 'frontal') =>
  `CheXpert-v1.0-small/${split}/patient${String(patient).padStart(5, '0')}/study1/view1_${view}.jpg`;
const rowOf = (path: string, findings: Record<string, string> = {}, projection = 'AP') =>
  [
    path,
    'Male',
    68,
    path.includes('lateral') ? 'Lateral' : 'Frontal',
    path.includes('lateral') ? '' : projection,
    ...FINDINGS.map((name) => findings[name] ?? ''),
  ].join(',');

/** Two patients to train on, one of them with two views, and one to test with. */
const TRAIN = [
  rowOf(pathOf('train', 1), { Edema: '1.0', Pneumonia: '-1.0', Fracture: '0.0' }),
  rowOf(pathOf('train', 1, 'lateral'), { Edema: '1.0' }),
  rowOf(pathOf('train', 2), { Edema: '-1.0', Cardiomegaly: '1.0' }, 'PA'),
];

async function write(files: Record<string, string>): Promise<string> {
  const folder = await newFolder();
  await mkdir(join(folder, 'data'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'data', name), text);
  return folder;
}

async function rowsOf(folder: string, options: object): Promise<SourceRow[]> {
  const source = await chexpert.open(chexpert.options.parse({ path: 'data', ...options }), {
    resolvePath: (path) => (isAbsolute(path) ? path : join(folder, path)),
    cacheFolder: folder,
  });
  const rows: SourceRow[] = [];
  for await (const row of source.rows()) if (!('note' in row)) rows.push(row);
  return rows;
}

type Values = { findings: Record<string, number | null>; boxes?: unknown[]; sentence?: string; view: string };
const valuesOf = (row: SourceRow | undefined) => (row as { sample: { values: Values } }).sample.values;

describe("CheXpert's layout", () => {
  it('has 1, 0, -1 by the policy of each finding, and what is not mentioned', async () => {
    const folder = await write({ 'train.csv': [HEADER, ...TRAIN].join('\n') });
    const [ignored] = await rowsOf(folder, {});
    const { findings } = valuesOf(ignored);
    expect(findings).toMatchObject({ Edema: 1, Pneumonia: null, Fracture: 0, Cardiomegaly: 0 });
    expect(Object.keys(findings)).toEqual([...FINDINGS]);
    const [, , ones] = await rowsOf(folder, { uncertain: { Edema: 'ones' }, unmentioned: 'ignore' });
    expect(valuesOf(ones).findings).toMatchObject({ Edema: 1, Cardiomegaly: 1, Pneumonia: null });
    const [zeros] = await rowsOf(folder, { uncertain: 'zeros', findings: ['Pneumonia', 'Edema'] });
    expect(valuesOf(zeros).findings).toEqual({ Pneumonia: 0, Edema: 1 });
  });

  it('has views, and its patients in one split each', async () => {
    const folder = await write({
      'train.csv': [HEADER, ...TRAIN].join('\n'),
      'valid.csv': [HEADER, rowOf(pathOf('valid', 64540)), rowOf(pathOf('valid', 2))].join('\n'),
    });
    const told = (await rowsOf(folder, {})).map((row) =>
      'sample' in row
        ? `${row.sample.split} ${row.sample.group} ${row.sample.values.view}`
        : `${(row as { broken: { problem: string } }).broken.problem}`,
    );
    expect(told).toEqual([
      'train patient00001 frontal AP',
      'train patient00001 lateral',
      'train patient00002 frontal PA',
      'test patient64540 frontal AP',
      'patient00002 is in the training table, too',
    ]);
    expect(await rowsOf(folder, { views: ['lateral'] })).toHaveLength(1);
    expect(
      await rowsOf(folder, { views: ['frontal'], projections: ['PA'], path: 'data/train.csv' }),
    ).toHaveLength(1);
    await expect(rowsOf(folder, { path: '.' })).rejects.toThrow(/no train\.csv/);
  });

  it('has the boxes and sentences of tables beside it, where there are some', async () => {
    const [first, second] = [pathOf('train', 1), pathOf('train', 2)];
    const folder = await write({
      'train.csv': [HEADER, ...TRAIN, rowOf(pathOf('train', 3), { Edema: '2' })].join('\n'),
      'boxes.csv': `path,x,y,w,h,class\n${first},10,20,30,40,Edema\n${first},1,2,3,4,Fracture\n${second},,,,,`,
      'reports.csv': `path,sentence\n${second},"Heart enlarged, no effusion."`,
    });
    const rows = await rowsOf(folder, { boxes: 'data/boxes.csv', reports: 'data/reports.csv' });
    expect(valuesOf(rows[0]).boxes).toEqual([
      { label: 'Edema', box: ['10', '20', '30', '40'] },
      { label: 'Fracture', box: ['1', '2', '3', '4'] },
    ]);
    expect(valuesOf(rows[0]).sentence).toBeUndefined();
    expect(valuesOf(rows[1]).boxes).toBeUndefined();
    expect(valuesOf(rows[2])).toMatchObject({ boxes: [], sentence: 'Heart enlarged, no effusion.' });
    expect(rows[3]).toMatchObject({ broken: { problem: "'Edema' is 2, not 1, 0, -1 or empty" } });
  });

  it('tells paths of tables that belong to no image, and the key of a table that is not as it should be', async () => {
    const folder = await write({
      'train.csv': [HEADER, ...TRAIN].join('\n'),
      'reports.csv': `path,sentence\n${pathOf('train', 1)},Clear.\n${pathOf('train', 1)},Not clear.\nelsewhere.jpg,Lost.`,
      'texts.csv': 'path,text\na.jpg,b',
    });
    const notes: string[] = [];
    const broken: string[] = [];
    const source = await chexpert.open(
      chexpert.options.parse({ path: 'data', reports: 'data/reports.csv' }),
      { resolvePath: (path) => join(folder, path), cacheFolder: folder },
    );
    expect(source.title).toContain('without valid.csv');
    for await (const row of source.rows()) {
      if ('note' in row) notes.push(row.note.message);
      if ('broken' in row) broken.push(row.broken.problem);
    }
    expect(broken).toEqual([`a second sentence for ${pathOf('train', 1)}; the first one counts`]);
    expect(notes.join('\n')).toContain(
      'of 1 paths belong to no image of the table; the first: elsewhere.jpg',
    );
    const remedy = expect.stringContaining(
      'Set data.source.reports to a CSV file with the columns path, sentence',
    );
    await expect(rowsOf(folder, { reports: 'data/texts.csv' })).rejects.toMatchObject({ remedy });
    await expect(rowsOf(folder, { reports: 'none.csv' })).rejects.toMatchObject({ remedy });
  });

  it('tells what is wrong with the table of images in words about it', async () => {
    const empty = await write({ 'train.csv': '', 'valid.csv': [HEADER, ...TRAIN].join('\n') });
    await expect(rowsOf(empty, {})).rejects.toMatchObject({
      code: 'data.empty',
      where: join(empty, 'data', 'train.csv'),
      remedy: expect.stringContaining('whole train.csv'),
    });
    const renamed = await write({
      'train.csv': [HEADER.replace('Cardiomegaly', 'Cardiomegally'), ...TRAIN].join('\n'),
    });
    await expect(rowsOf(renamed, {})).rejects.toMatchObject({
      code: 'data.missing-column',
      remedy: expect.stringMatching(/^Did you mean 'Cardiomegally'\? .*data\.source\.findings\.$/),
    });
    const strange = await write({ 'train.csv': [HEADER, rowOf('a/view1_frontal.jpg')].join('\n') });
    expect(await rowsOf(strange, {})).toEqual([
      {
        broken: {
          where: 'train.csv:2',
          reason: 'id',
          problem: "'Path' names no patient: a/view1_frontal.jpg",
          remedy: expect.stringContaining('patient00001'),
        },
      },
    ]);
  });

  it('is read by its recipe as it stands', async () => {
    const rows: string[] = [];
    const folder = await newFolder();
    const own = join(folder, 'CheXpert-v1.0-small');
    for (let patient = 1; patient <= 12; patient++) {
      const path = pathOf('train', patient);
      await mkdir(join(folder, path, '..'), { recursive: true });
      const background = { r: 20 * patient, g: 20 * patient, b: 20 * patient };
      await sharp({ create: { width: 40, height: 32, channels: 3, background } })
        .jpeg()
        .toFile(join(folder, path));
      rows.push(rowOf(path, { Edema: `${(patient % 3) - 1}.0`, Fracture: patient % 2 ? '1.0' : '' }));
    }
    await writeFile(join(own, 'train.csv'), [HEADER, ...rows].join('\n'));
    await mkdir(join(folder, 'recipes'));
    const file = join(folder, 'recipes', 'chexpert-teacher.yaml');
    const text = await readFile(new URL('../../../recipes/chexpert-teacher.yaml', import.meta.url), 'utf8');
    const recipe = parseRecipe(text, { file, overrides: ['data.splits={validation: 3, test: 3}'] });
    const told = await check(recipe, {
      out: join(folder, 'run'),
      recipeFolder: join(folder, 'recipes'),
      allowPaths: [folder],
    });
    expect(told.broken.count).toBe(0);
    expect(
      Object.values(told.splits).reduce((sum, size) => sum + (size as number), 0),
    ).toBeGreaterThanOrEqual(12);
    // By the whole path: all images of a study are called alike.
    expect(told.samples[0]?.text).toMatch(/^train\/patient\d{5}\/study1\/view1_frontal\.jpg$/);
    expect(told.samples[0]?.dims).toEqual([1, 128, 128]);
  });
});
