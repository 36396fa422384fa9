import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { estimateBytes } from './estimate.ts';
import { EARLIER_LOGITS_ENCODING, LABEL_ENCODINGS } from './label-encoding.ts';
import type { LabelSpace } from './label-space.ts';
import { spaceInfo } from './space-info.ts';
import { KnowledgeStore, type VerifyProgress } from './store.ts';
import { answer, keyOf, keysOf, range } from './testing/fake-teacher.ts';

let folder: string;
let store: KnowledgeStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-store-'));
  store = await KnowledgeStore.open(folder);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const definition = {
  title: 'teacher A',
  teacher: 'aaaa',
  tap: 'logits',
  preprocessing: 'p',
  dims: [3],
  encoding: 'float16' as const,
};

async function put(space: LabelSpace, samples: number[]): Promise<void> {
  const elements = space.elements as number;
  const rows = new Float32Array(samples.length * elements);
  samples.forEach((sample, i) => {
    rows.set(answer(sample, elements), i * elements);
  });
  await space.put(keysOf(samples), rows);
}

function read(space: LabelSpace, samples: number[]): number[][] {
  const elements = space.elements as number;
  const into = new Float32Array(samples.length * elements);
  space.read(keysOf(samples), into);
  return samples.map((_, i) => [...into.subarray(i * elements, (i + 1) * elements)]);
}

async function verify(options: { repair?: boolean } = {}): Promise<VerifyProgress[]> {
  const last: VerifyProgress[] = [];
  for await (const progress of store.verify(options)) if (progress.done) last.push(progress);
  return last;
}

/** Changes a byte of a record inside the file. */
function damageRecord(space: LabelSpace, sample: number): void {
  const path = join(folder, space.info.id, 'data.mdb');
  const bytes = readFileSync(path);
  const at = bytes.lastIndexOf(Buffer.from(keyOf(sample)));
  expect(at).toBeGreaterThan(0);
  bytes.writeUInt8(bytes.readUInt8(at + 22) ^ 1, at + 22);
  writeFileSync(path, bytes);
}

describe('KnowledgeStore', () => {
  it('keeps labels, over closing and opening', async () => {
    const space = await store.space(definition);
    await put(space, range(300));
    expect(space.count).toBe(300);
    expect(space.has(keyOf(7))).toBe(true);
    expect(space.has(keyOf(301))).toBe(false);
    expect(space.missing(keysOf([5, 999, 6, 1000]))).toEqual([1, 3]);
    await store.close();
    store = await KnowledgeStore.open(folder);
    const again = await store.space(definition);
    expect(again.info.created).toBe(space.info.created);
    expect(read(again, [299, 0, 17])).toEqual([299, 0, 17].map((sample) => [...answer(sample, 3)]));
  });

  it('keeps taps, teachers, preprocessings and encodings apart', async () => {
    const spaces = await Promise.all([
      store.space(definition),
      store.space({ ...definition, tap: 'hidden', dims: [4, 700] }),
      store.space({ ...definition, teacher: 'bbbb' }),
      store.space({ ...definition, preprocessing: 'q' }),
      store.space({ ...definition, encoding: 'float32' }),
    ]);
    for (const [i, space] of spaces.entries()) await put(space, range(10, 10 * i));
    for (const [i, space] of spaces.entries()) {
      expect(space.count).toBe(10);
      expect(space.missing(keysOf(range(10, 10 * i)))).toEqual([]);
      expect(read(space, [10 * i + 3])).toEqual([[...answer(10 * i + 3, space.elements as number)]]);
    }
    expect(await store.space({ ...definition, title: 'another title' })).toBe(spaces[0]);
    expect((await store.list()).map(({ samples }) => samples)).toEqual([10, 10, 10, 10, 10]);
  });

  it('rounds to float16, and keeps float32 as it is', async () => {
    const half = await store.space(definition);
    const full = await store.space({ ...definition, encoding: 'float32' });
    const rows = Float32Array.of(Math.PI, -1e-3, 12345.678);
    const into = new Float32Array(3);
    await full.put(keyOf(1), rows);
    full.read(keyOf(1), into);
    expect([...into]).toEqual([...rows]);
    await half.put(keyOf(1), rows);
    half.read(keyOf(1), into);
    expect([...into]).toEqual([3.140625, -0.0010004043579101562, 12344]);
  });

  it('says what is missing and what to do', async () => {
    const space = await store.space(definition);
    await put(space, [1, 2]);
    expect(() => read(space, [1, 2, 3])).toThrow(
      expect.objectContaining({
        code: 'store.missing',
        message: '1 of 3 samples have no label of teacher A yet',
        remedy: expect.stringContaining('limbeck label'),
      }),
    );
  });

  it('takes all rows of a put or none', async () => {
    const space = await store.space(definition);
    await expect(space.put(keysOf([1, 2]), Float32Array.of(1, 2, 3, 4, 1e6, 6))).rejects.toMatchObject({
      code: 'store.range',
      where: expect.stringContaining('value 1'),
    });
    expect(space.count).toBe(0);
    await expect(space.put(keysOf([1, 2]), new Float32Array(5))).rejects.toThrow('are not 5 values');
    await expect(space.put(new Uint8Array(17), new Float32Array(3))).rejects.toThrow('no whole number');
    expect(() => space.read(keysOf([1, 2]), new Float32Array(5))).toThrow('do not fit');
  });

  it('notices a damaged record, repairs by dropping it, and takes it again', async () => {
    const space = await store.space(definition);
    await put(space, range(2500));
    await store.close();
    damageRecord(space, 1234);
    store = await KnowledgeStore.open(folder);
    const reopened = await store.space(definition);
    expect(() => read(reopened, [1234])).toThrow(expect.objectContaining({ code: 'store.damaged' }));
    expect(read(reopened, [1233])).toEqual([[...answer(1233, 3)]]);
    expect(await verify()).toMatchObject([{ checked: 2500, total: 2500, damaged: 1 }]);
    expect(await verify({ repair: true })).toMatchObject([{ checked: 2500, damaged: 1 }]);
    expect(await verify()).toMatchObject([{ checked: 2499, damaged: 0 }]);
    expect(reopened.missing(keysOf(range(2500)))).toEqual([1234]);
    await put(reopened, [1234]);
    expect(read(reopened, [1234])).toEqual([[...answer(1234, 3)]]);
  });

  it.each([
    ['cut short', (path: string) => truncateSync(path, 20_000)],
    ['cut to less than its header', (path: string) => truncateSync(path, 100)],
    ['overwritten', (path: string) => writeFileSync(path, Buffer.alloc(50_000, 'limbeck'))],
  ])('tells a file that was %s, and repairs by dropping it', async (_, damage) => {
    const space = await store.space(definition);
    const other = await store.space({ ...definition, tap: 'other' });
    await put(space, range(3000));
    await put(other, range(10));
    await store.close();
    damage(join(folder, space.info.id, 'data.mdb'));
    store = await KnowledgeStore.open(folder);
    await expect(store.space(definition)).rejects.toMatchObject({
      code: 'store.damaged',
      remedy: expect.stringContaining('verify --repair'),
    });
    const broken = (await store.list()).find(({ id }) => id === space.info.id);
    expect(broken?.problem).toContain('damaged');
    await verify({ repair: true });
    expect((await store.list()).map(({ id }) => id)).toEqual([other.info.id]);
    const anew = await store.space(definition);
    expect(anew.missing(keysOf([1, 2]))).toEqual([0, 1]);
    await put(anew, [1, 2]);
    expect((await store.space({ ...definition, tap: 'other' })).count).toBe(10);
  });

  it.each([1, 2, 7, 16])(
    'tells a file that was cut by %i pages, before LMDB reads past its end',
    async (pages) => {
      const space = await store.space(definition);
      await put(space, range(3000));
      await store.close();
      const path = join(folder, space.info.id, 'data.mdb');
      truncateSync(path, statSync(path).size - pages * 4096);
      store = await KnowledgeStore.open(folder);
      await expect(store.space(definition)).rejects.toMatchObject({
        code: 'store.damaged',
        message: expect.stringMatching(/page \d+ is missing/),
        remedy: expect.stringContaining('verify --repair'),
      });
      await verify({ repair: true });
      expect((await store.space(definition)).count).toBe(0);
    },
  );

  it.each([
    ['another page', 0, 1],
    ['of a later transaction', 14, 1],
    ['not part of a tree', 18, 8],
    ['entries outside itself', 20, 255],
  ])('tells a page whose header was changed: %s', async (problem, position, flip) => {
    const space = await store.space(definition);
    await put(space, range(3000));
    await store.close();
    const path = join(folder, space.info.id, 'data.mdb');
    const bytes = readFileSync(path);
    const page = bytes.readUInt32LE(48);
    const newest = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(page + 152) ? 0 : page;
    const root = Number(bytes.readBigUInt64LE(newest + 136));
    bytes[root * page + position] ^= flip;
    writeFileSync(path, bytes);
    store = await KnowledgeStore.open(folder);
    await expect(store.space(definition)).rejects.toMatchObject({
      code: 'store.damaged',
      message: expect.stringContaining(problem),
    });
  });

  it.skipIf(process.platform === 'win32')('is not held up by a pipe in its place', async () => {
    const space = await store.space(definition);
    await store.close();
    for (const name of ['lock.mdb', 'data.mdb']) {
      rmSync(join(folder, space.info.id, name), { force: true });
      execFileSync('mkfifo', [join(folder, space.info.id, name)]);
      store = await KnowledgeStore.open(folder);
      await expect(store.space(definition)).rejects.toMatchObject({ code: 'store.damaged' });
    }
  });

  it('takes a file whose last page was counted but never written', async () => {
    const space = await store.space(definition);
    await put(space, range(100));
    await store.close();
    const path = join(folder, space.info.id, 'data.mdb');
    const bytes = readFileSync(path);
    // The number of the last page, in both headers of the file.
    for (const header of [0, bytes.readUInt32LE(48)]) {
      bytes.writeBigUInt64LE(BigInt(bytes.length / bytes.readUInt32LE(48)), header + 144);
    }
    writeFileSync(path, bytes);
    store = await KnowledgeStore.open(folder);
    expect(read(await store.space(definition), [99])).toEqual([[...answer(99, 3)]]);
  });

  it('restores a description that was damaged', async () => {
    const space = await store.space(definition);
    await put(space, [1]);
    await store.close();
    writeFileSync(join(folder, space.info.id, 'space.json'), '{"format": 1, "title"');
    store = await KnowledgeStore.open(folder);
    expect(await store.list()).toMatchObject([{ problem: 'its space.json cannot be read' }]);
    expect((await store.space(definition)).count).toBe(1);
    expect(await store.list()).toMatchObject([{ title: 'teacher A', samples: 1, problem: undefined }]);
  });

  it('drops what is unused, of a teacher, or all, and nothing without a condition', async () => {
    const a = await store.space(definition);
    await store.space({ ...definition, tap: 'hidden' });
    await store.space({ ...definition, teacher: 'bbbb', title: 'teacher B' });
    await put(a, range(100));
    const longAgo = new Date(Date.now() - 40 * 86_400_000);
    utimesSync(join(folder, a.info.id, 'space.json'), longAgo, longAgo);
    mkdirSync(join(folder, 'something else'));
    await expect(store.prune({})).rejects.toMatchObject({ code: 'store.prune-what' });
    expect(await store.prune({ unusedForDays: 41 })).toEqual([]);
    expect(await store.prune({ unusedForDays: 30, teacher: 'teacher B' })).toEqual([]);
    expect(await store.prune({ unusedForDays: 30 })).toMatchObject([{ samples: 100, tap: 'logits' }]);
    expect(existsSync(join(folder, a.info.id))).toBe(false);
    expect((await store.space(definition)).count).toBe(0);
    expect(await store.prune({ teacher: '' })).toEqual([]);
    expect(await store.prune({ teacher: 'bb' })).toEqual([]);
    expect(await store.prune({ teacher: 'bbbb' })).toHaveLength(1);
    expect(await store.prune({ all: true })).toHaveLength(2);
    expect(await store.list()).toEqual([]);
    expect(existsSync(join(folder, 'something else'))).toBe(true);
  });

  it('refuses a folder that is a file', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(KnowledgeStore.open(file)).rejects.toMatchObject({ code: 'store.not-a-folder' });
    await expect(KnowledgeStore.open(join(file, 'below'))).rejects.toMatchObject({
      code: 'store.not-a-folder',
    });
  });

  it.each([
    { samples: 4000, dims: [26], encoding: 'float16' as const },
    { samples: 4000, dims: [26], encoding: 'float32' as const },
    { samples: 300, dims: [10, 256], encoding: 'float16' as const },
  ])('estimates the disk for $samples labels of $dims in $encoding', async ({ samples, dims, encoding }) => {
    const space = await store.space({ ...definition, dims, encoding });
    for (let first = 0; first < samples; first += 500) {
      await put(space, range(Math.min(500, samples - first), first));
    }
    const [summary] = await store.list();
    expect(estimateBytes(samples, dims, encoding) / (summary?.bytes as number)).toBeGreaterThan(0.75);
    expect(estimateBytes(samples, dims, encoding) / (summary?.bytes as number)).toBeLessThan(1.5);
  });
});

/** A file system of its own with so many KiB, as far as this user may have one. */
function mountTiny(path: string, kib: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'limbeck-test', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a small disk', () => {
  let tiny: string;
  let mounted: boolean;
  beforeEach(() => {
    tiny = join(folder, 'tiny');
    mkdirSync(tiny);
    mounted = mountTiny(tiny, 512);
  });
  afterEach(() => {
    if (mounted) execFileSync('umount', ['-l', tiny]);
  });

  it('tells when it is full, keeps what was committed, and goes on when there is room', async (context) => {
    if (!mounted) context.skip('only root can mount a small disk');
    const small = await KnowledgeStore.open(tiny);
    const space = await small.space({ ...definition, dims: [500] });
    let kept = 0;
    const fill = async () => {
      for (;;) {
        await put(space, range(50, kept));
        kept += 50;
      }
    };
    await expect(fill()).rejects.toMatchObject({
      code: 'store.disk-full',
      remedy: expect.stringContaining('run the same command again'),
    });
    expect(kept).toBeGreaterThan(50);
    expect(space.count).toBe(kept);
    expect(read(space, [0, kept - 1])).toEqual([0, kept - 1].map((sample) => [...answer(sample, 500)]));
    await expect(small.space({ ...definition, tap: 'second' })).rejects.toMatchObject({
      code: 'store.disk-full',
    });
    execFileSync('mount', ['-o', 'remount,size=4096k', tiny]);
    await put(space, range(50, kept));
    expect(space.count).toBe(kept + 50);
    await small.close();
    execFileSync('mount', ['-o', 'remount,ro', tiny]);
    const readOnly = await KnowledgeStore.open(tiny);
    await expect(readOnly.space({ ...definition, dims: [500] })).rejects.toMatchObject({
      code: 'store.read-only',
    });
    await readOnly.close();
  });
});

it('keeps logits in spaces of another encoding than earlier versions, which are known by their own', () => {
  const encodings = LABEL_ENCODINGS.map((encoding) => spaceInfo({ ...definition, encoding }).id);
  expect(new Set(encodings).size).toBe(LABEL_ENCODINGS.length);
  // As version 0.1 names it.
  const identity = JSON.stringify([1, 'aaaa', 'logits', 'p', [3], EARLIER_LOGITS_ENCODING]);
  const id = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  expect(spaceInfo({ ...definition, encoding: EARLIER_LOGITS_ENCODING }).id).toBe(id);
});
