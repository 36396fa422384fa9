import { mkdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxesTruth } from '../../targets/boxes-truth.ts';
import type { DataSource, SourceRow } from '../sample.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { boxTable } from './box-table.ts';
import { coco } from './coco.ts';

const newFolder = temporaryFolders();

async function rowsOf(source: DataSource): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const row of source.rows()) rows.push(row);
  return rows;
}

const contextOf = (folder: string) => ({
  resolvePath: (path: string) => (isAbsolute(path) ? path : join(folder, path)),
  cacheFolder: folder,
});

const CATEGORIES = [
  { id: 7, name: 'dog' },
  { id: 3, name: 'cat' },
];

async function openCoco(content: unknown): Promise<DataSource> {
  const folder = await newFolder();
  await mkdir(join(folder, 'images'));
  await writeFile(join(folder, 'a.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return coco.open(coco.options.parse({ annotations: 'a.json', images: 'images' }), contextOf(folder));
}

describe('COCO files', () => {
  it('give images with their boxes, crowds and strange images apart', async () => {
    const source = await openCoco({
      images: [
        { id: 1, file_name: 'one.jpg', width: 100, height: 50 },
        { id: 2, file_name: 'two.jpg' },
      ],
      annotations: [
        { image_id: 1, category_id: 7, bbox: [10, 20, 30, 20], iscrowd: 0 },
        { image_id: 1, category_id: 3, bbox: [0, 0, 5, 5], iscrowd: 1 },
        { image_id: 9, category_id: 3, bbox: [0, 0, 5, 5] },
        { image_id: 1, category_id: 8, bbox: [1, 1, 2, 2] },
      ],
      categories: CATEGORIES,
    });
    expect((await source.declares!()).boxes!.classes!.names).toEqual(['cat', 'dog']);
    const rows = await rowsOf(source);
    expect(rows[0]).toMatchObject({ broken: { where: 'a.json: annotations[2]' } });
    expect(rows[1]).toMatchObject({ note: { message: 'a.json: 1 boxes of crowds are left out' } });
    const samples = rows.slice(2).map((row) => ('sample' in row ? row.sample.values : undefined));
    expect(samples[0]).toMatchObject({
      boxes: [
        { label: 'dog', box: [10, 20, 30, 20], imageSize: [100, 50] },
        { label: 'category 8', box: [1, 1, 2, 2], imageSize: [100, 50] },
      ],
    });
    expect(`${samples[0]!.image}`).toMatch(/images.one\.jpg$/);
    expect(samples[1]!.boxes).toEqual([]);
  });

  it('are refused where they are something else', async () => {
    for (const [content, problem] of [
      ['{', /no JSON/],
      [{ images: [], annotations: [] }, /categories/],
      [
        { images: [{ id: 1 }], annotations: [], categories: CATEGORIES },
        /images\[0\]\.file_name: expected a text/,
      ],
      [
        {
          images: [
            { id: 1, file_name: 'a' },
            { id: '1', file_name: 'b' },
          ],
          annotations: [],
          categories: CATEGORIES,
        },
        /the id '1' twice: images\[0\] and images\[1\]/,
      ],
      [
        { images: [], annotations: [], categories: [...CATEGORIES, { id: 3, name: 'cow' }] },
        /the id '3' twice: categories\[1\] and categories\[2\]/,
      ],
      [
        { images: [], annotations: [], categories: [...CATEGORIES, { id: 4, name: 'dog' }] },
        /the name 'dog' twice: categories\[0\] and categories\[2\]/,
      ],
    ] as const)
      await expect(rowsOf(await openCoco(content))).rejects.toThrow(problem);
    const options = coco.options.parse({ annotations: 'nowhere.json' });
    await expect(coco.open(options, contextOf(await newFolder()))).rejects.toMatchObject({
      code: 'data.not-found',
    });
  });
});

it('tables of boxes are gathered by image', async () => {
  const folder = await newFolder();
  const lines = [
    'image,xmin,ymin,xmax,ymax,label',
    'a.png,0,0,10,10,dog',
    'b.png,,,,,',
    'a.png,5,5,20,15,cat',
    ',1,1,2,2,dog',
  ];
  await writeFile(join(folder, 'boxes.csv'), `${lines.join('\n')}\n`);
  const source = await boxTable.open(boxTable.options.parse({ path: 'boxes.csv' }), contextOf(folder));
  const rows = await rowsOf(source);
  expect(rows.find((row) => 'broken' in row)).toMatchObject({
    broken: { where: 'boxes.csv:5', reason: 'missing' },
  });
  const samples = rows.flatMap((row) => ('sample' in row ? [row.sample] : []));
  expect(samples.map(({ where, values }) => [where, values])).toEqual([
    [
      'boxes.csv:2',
      {
        image: 'a.png',
        boxes: [
          { label: 'dog', box: ['0', '0', '10', '10'] },
          { label: 'cat', box: ['5', '5', '20', '15'] },
        ],
      },
    ],
    ['boxes.csv:3', { image: 'b.png', boxes: [] }],
  ]);
  // As a target reads them, in pixels of an image of 40x20.
  const truth = boxesTruth({ grid: [4, 4], format: 'xyxy', unit: 'pixels' });
  const reader = truth.begin({ output: 'boxes', field: 'boxes', title: 'boxes.csv', notes: [] });
  const row = {
    where: 'boxes.csv:2',
    encoded: { image: { bytes: new Uint8Array(), size: [40, 20] as const } },
  };
  expect(reader.read(samples[0]!.values.boxes, row)).toEqual([
    ...[0, 0.125, 0.25, 0.25, 0.5],
    ...[1, 0.3125, 0.5, 0.375, 0.5],
  ]);
});

it('tables of boxes have to have every column that is named', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'boxes.csv'), 'image,xmin,ymin,xmax,ymax,label\na.png,0,0,10,10,dog\n');
  for (const [wrong, column] of [
    [{ labelField: 'klasse' }, 'klasse'],
    [{ boxFields: ['xmin', 'ymin', 'width', 'ymax'] }, 'width'],
  ] as const) {
    const options = boxTable.options.parse({ path: 'boxes.csv', ...wrong });
    const read = async () => rowsOf(await boxTable.open(options, contextOf(folder)));
    await expect(read()).rejects.toMatchObject({
      code: 'data.missing-column',
      message: expect.stringContaining(`'${column}'`),
      remedy: expect.stringContaining(`data.source.${Object.keys(wrong)[0]}`),
    });
  }
});
