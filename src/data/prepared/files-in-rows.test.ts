import { expect, test } from 'vitest';
import { LimbeckError } from '../../errors.ts';
import type { Processor } from '../modalities/modality.ts';
import type { DataSource } from '../sample.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { prepareDataset } from './prepare-dataset.ts';

const newFolder = temporaryFolders();

/** Keeps the raw values that it is given. */
function recorder(): { processor: Processor; seen: unknown[] } {
  const seen: unknown[] = [];
  const processor: Processor = {
    hash: 'recorder',
    columns: [{ name: 'values', type: 'float32', shape: [1], pad: 0, role: 'input' }],
    bytesFor: () => 1,
    encode(raw) {
      seen.push(raw);
      return { bytes: Uint8Array.of(seen.length) };
    },
    decode() {},
    example: () => ({ text: '' }),
    files: () => ({}),
    forBackbones: {},
  };
  return { processor, seen };
}

test('files that rows name come with their whole path, those that may not be read break their row', async () => {
  const bytes = Uint8Array.of(1, 2);
  const values = [
    'a.png',
    { path: 'b.png' },
    { path: 'c.png', bytes },
    // Not bytes, so the path counts: it must not pass unseen.
    { path: '/etc/passwd', bytes: 'none' },
    '/etc/passwd',
    { bytes: null, path: 'd.png' },
    bytes,
  ];
  const source: DataSource = {
    title: 'rows',
    fingerprint: async () => 'rows',
    async *rows() {
      for (const [i, file] of values.entries())
        yield { sample: { where: `${i}`, folder: '/data', values: { file } } };
    },
  };
  const { processor, seen } = recorder();
  const dataset = await prepareDataset({
    source,
    inputs: [
      {
        name: 'image',
        fields: ['file'],
        modality: 'image',
        processor,
        resolve(folder, path) {
          if (path.startsWith('/etc')) throw new LimbeckError('recipe.path-outside', 'it leads out');
          return `${folder}/${path}`;
        },
      },
    ],
    outputs: [],
    labelsPerClass: 'all',
    seed: 1,
    onBrokenRow: 'skip',
    folder: await newFolder(),
  });
  expect(seen).toEqual([
    { path: '/data/a.png', name: 'a.png' },
    { path: '/data/b.png', name: 'b.png' },
    { path: 'c.png', bytes },
    { path: '/data/d.png', name: 'd.png' },
    bytes,
  ]);
  expect(dataset.statistics.broken.first).toEqual(
    ['3', '4'].map((where) => ({
      where,
      problem: "'file' names a file that may not be read: it leads out",
      reason: 'other',
    })),
  );
  dataset.close();
});
