import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import {
  classNamesBeside,
  infoClassNames,
  infoOf,
  parquetClassNames,
  readmeDatasetInfo,
} from './class-names.ts';

const newFolder = temporaryFolders();

const README = `---
license: mit
dataset_info:
- config_name: small
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '10': k
          '1': pos
          '2': a
          '3': b
          '4': c
          '5': d
          '6': e
          '7': f
          '8': g
          '9': h
- config_name: other
  features:
  - name: label
    dtype:
      class_label:
        names: [x, y]
---
# A data set
`;
const SMALL = ['neg', 'pos', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'k'];

test("a README's header: by the numbers of the classes, and by configuration", () => {
  const info = readmeDatasetInfo(README);
  expect(infoClassNames(info, 'label', 'small')).toEqual(SMALL);
  expect(infoClassNames(info, 'label', 'other')).toEqual(['x', 'y']);
  // Which of the two is not told.
  expect(infoClassNames(info, 'label', undefined)).toBeUndefined();
  expect(infoClassNames(info, 'text', 'small')).toBeUndefined();
  expect(readmeDatasetInfo('# no header')).toBeUndefined();
  expect(readmeDatasetInfo('---\na: [\n---')).toBeUndefined();
});

test('dataset_infos.json, dataset_info.json and the metadata of Parquet files', () => {
  const features = {
    label: { names: ['neg', 'pos'], _type: 'ClassLabel' },
    text: { dtype: 'string', _type: 'Value' },
  };
  expect(infoClassNames({ default: { features } }, 'label', undefined)).toEqual(['neg', 'pos']);
  expect(infoClassNames({ features }, 'label', undefined)).toEqual(['neg', 'pos']);
  expect(parquetClassNames(JSON.stringify({ info: { features } }), 'label')).toEqual(['neg', 'pos']);
  expect(parquetClassNames(JSON.stringify({ info: { features } }), 'text')).toBeUndefined();
  expect(parquetClassNames('{', 'label')).toBeUndefined();
  expect(infoOf('dataset_infos.json', '{')).toBeUndefined();
});

test('names that are no list of all classes are none', () => {
  const named = (names: unknown) => infoClassNames({ features: { label: { names } } }, 'label', undefined);
  expect(named({ 0: 'a', 2: 'c' })).toBeUndefined();
  expect(named([null])).toBeUndefined();
  expect(named([])).toBeUndefined();
  expect(named('a')).toBeUndefined();
});

test('are found beside the rows, and above data/; not where a recipe may not look', async () => {
  const folder = await newFolder();
  mkdirSync(join(folder, 'data'));
  const rows = join(folder, 'data', 'train.csv');
  expect(await classNamesBeside(rows, 'label', () => true)).toBeUndefined();
  writeFileSync(join(folder, 'README.md'), README.replace(/- config_name: other[\s\S]*---/, '---'));
  expect(await classNamesBeside(rows, 'label', () => true)).toEqual({
    names: SMALL,
    where: join(folder, 'README.md'),
  });
  expect(
    await classNamesBeside(rows, 'label', (path) => path.startsWith(join(folder, 'data'))),
  ).toBeUndefined();
});
