import { LimbeckError } from '../../errors.ts';
import { joinBytes, numbersIn } from '../../platform/bytes.ts';
import { gunzip } from '../../platform/compression.ts';
import { existsSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { streamRegularFile } from '../../regular-file.ts';
import { hashFile } from '../hash-file.ts';
import type { DataSource, SourceRow } from '../sample.ts';

/** The names of MNIST's files (LeCun, Cortes and Burges), which its successors took over; `.gz` may follow. */
const FILES = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const;

/** Unsigned bytes in three and in one dimension. */
const MAGIC = { images: 0x00000803, labels: 0x00000801 };

/** The file's path, unpacked or packed. */
function fileIn(folder: string, name: string): string {
  for (const candidate of [join(folder, name), join(folder, `${name}.gz`)])
    if (existsSync(candidate)) return candidate;
  throw new LimbeckError('data.not-found', `there is no ${name}, nor ${name}.gz`, {
    where: folder,
    remedy: 'Put the four IDX files of the data set into this folder.',
  });
}

function damaged(path: string, problem: string): LimbeckError {
  return new LimbeckError('data.damaged', `the IDX file ${problem}`, {
    where: path,
    remedy: 'Get the file again.',
  });
}

/** The bytes of a file in pieces of a wanted size. */
class ByteReader {
  readonly path: string;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(path: string) {
    this.path = path;
    const file = streamRegularFile(path, { highWaterMark: 1 << 18 });
    this.#chunks = (path.endsWith('.gz') ? gunzip(file) : file)[Symbol.asyncIterator]();
  }

  /** The next `count` bytes; undefined at the end. @throws LimbeckError `data.damaged` when it ends within them. */
  async take(count: number): Promise<Uint8Array | undefined> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < count) {
      const { value, done } = await this.#next();
      if (done) break;
      parts.push(value);
      have += value.length;
    }
    if (have === 0 && count > 0) return undefined;
    if (have < count) throw damaged(this.path, `ends ${count - have} bytes too early`);
    const all = parts.length === 1 ? this.#rest : joinBytes(parts);
    this.#rest = all.subarray(count);
    return all.subarray(0, count);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#chunks.next();
    } catch (cause) {
      throw new LimbeckError('data.damaged', `the IDX file cannot be unpacked: ${(cause as Error).message}`, {
        where: this.path,
        remedy: 'Get the file again.',
        cause,
      });
    }
  }
}

/** The sizes in a file's head. */
async function readHead(reader: ByteReader, kind: keyof typeof MAGIC): Promise<number[]> {
  const first = await reader.take(4);
  if (!first || numbersIn(first).getUint32(0) !== MAGIC[kind])
    throw damaged(reader.path, `does not begin as one of ${kind}`);
  const count = first[3];
  const rest = await reader.take(4 * count);
  if (!rest) throw damaged(reader.path, 'ends within its head');
  return Array.from({ length: count }, (_, i) => numbersIn(rest).getUint32(4 * i));
}

/** Images are small here: a head that says otherwise is wrong, and must not take the memory. */
const MAX_SIDE = 4096;

/**
 * Opens the four IDX files of a data set like MNIST or Fashion-MNIST: grey images of one size, `image` as
 * `{ pixels, dims }`, and `label`, the name of the class.
 *
 * @param identity what an image is known by: its pixels, or its position in a data set that was published once
 * @throws LimbeckError `data.not-found`, `data.damaged`
 */
export async function openIdx(
  folder: string,
  title: string,
  labels: readonly string[],
  identity: 'content' | 'position' = 'content',
): Promise<DataSource> {
  const paths = {
    train: { images: fileIn(folder, FILES.train.images), labels: fileIn(folder, FILES.train.labels) },
    test: { images: fileIn(folder, FILES.test.images), labels: fileIn(folder, FILES.test.labels) },
  };
  const heads = { train: await headsOf(paths.train), test: await headsOf(paths.test) };
  const { height, width } = heads.train;
  if (height !== heads.test.height || width !== heads.test.width) {
    throw damaged(
      paths.test.images,
      `has images of ${heads.test.height}x${heads.test.width}, the other ${height}x${width}`,
    );
  }
  const files = [...Object.values(paths.train), ...Object.values(paths.test)];
  return {
    title,
    fingerprint: async () =>
      JSON.stringify({ kind: 'idx', labels, files: files.map((path) => hashFile(path)) }),
    ...(identity === 'position' && { positions: { train: heads.train.count, test: heads.test.count } }),
    async *rows(signal) {
      for (const part of ['train', 'test'] as const) {
        for await (const row of readPart(part, paths[part], heads[part], labels)) {
          signal?.throwIfAborted();
          yield row;
        }
      }
    },
    declares: async () => ({
      image: { dims: [1, height, width] },
      label: { classes: { names: labels, where: title } },
    }),
  };
}

interface Heads {
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

async function headsOf(paths: { images: string; labels: string }): Promise<Heads> {
  const images = new ByteReader(paths.images);
  const labels = new ByteReader(paths.labels);
  try {
    const [count, height, width] = (await readHead(images, 'images')) as [number, number, number];
    const [labelled] = await readHead(labels, 'labels');
    if (count === 0 || height === 0 || width === 0 || height > MAX_SIDE || width > MAX_SIDE)
      throw damaged(paths.images, `says that it has ${count} images of ${height}x${width}`);
    if (labelled !== count) throw damaged(paths.labels, `has ${labelled} labels for ${count} images`);
    return { count, height, width };
  } finally {
    await images.close();
    await labels.close();
  }
}

async function* readPart(
  part: 'train' | 'test',
  paths: { images: string; labels: string },
  { count, height, width }: Heads,
  classes: readonly string[],
): AsyncGenerator<SourceRow> {
  const images = new ByteReader(paths.images);
  const labels = new ByteReader(paths.labels);
  const dims = [1, height, width];
  try {
    await readHead(images, 'images');
    await readHead(labels, 'labels');
    for (let i = 0; i < count; i++) {
      const pixels = await images.take(height * width);
      const number = (await labels.take(1))?.[0];
      if (!pixels || number === undefined)
        throw damaged(pixels ? paths.labels : paths.images, `ends after ${i} of ${count} images`);
      const label = classes[number];
      if (label === undefined)
        throw damaged(paths.labels, `has label ${number} at ${i}, of ${classes.length} classes`);
      yield {
        sample: { split: part, where: `${part} ${i + 1}`, values: { image: { pixels, dims }, label } },
      };
    }
  } finally {
    await images.close();
    await labels.close();
  }
}
