import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Batch } from '../../data/batch.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import type { Engine } from '../../engine/engine.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { labelSplit } from '../../knowledge/label.ts';
import { KnowledgeStore } from '../../knowledge/store.ts';
import { openModelFile, writeModelFile } from '../../onnx/node-files.ts';
import { randomStream } from '../../random.ts';
import type { KnowledgeRequest } from '../knowledge-request.ts';
import { createOnnxTeacher } from '../onnx-teacher.ts';
import { tapTeacher } from '../tap-teacher.ts';
import type { Teacher } from '../teacher.ts';
import { layeredModel } from '../testing/layered-model.ts';

const engine = createNodeEngine({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'limbeck-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [ROWS, LENGTH] = [4, 12];

/** Texts of one to twelve tokens in batches that are padded to the longest of all; the last batch is short. */
function texts(count: number): Batch[] {
  const random = randomStream(1, 'texts');
  const lengths = Array.from({ length: count }, (_, i) => 1 + ((i * 7) % LENGTH));
  return Array.from({ length: Math.ceil(count / ROWS) }, (_, at) => {
    const own = lengths.slice(at * ROWS, (at + 1) * ROWS);
    const places = Array.from(
      { length: ROWS * LENGTH },
      (_, i) => i % LENGTH < (own[Math.floor(i / LENGTH)] ?? 1),
    );
    return tokenBatch({
      rows: ROWS,
      length: LENGTH,
      filled: own.length,
      ids: BigInt64Array.from(places, (isToken) =>
        isToken ? BigInt(1 + Math.floor(random.uniform() * 31)) : 0n,
      ),
      mask: BigInt64Array.from(places, (isToken) => (isToken ? 1n : 0n)),
      labels: new Int32Array(ROWS).fill(-1),
      keys: Uint8Array.from({ length: 16 * own.length }, (_, i) => (i % 16 === 0 ? at * ROWS + i / 16 : 7)),
      ordinals: Uint32Array.from({ length: ROWS }, (_, i) => at * ROWS + i),
    });
  });
}

let models = 0;

/** The model in a folder of its own, opened whole or in parts of some 10 kB each; its weights have 43 kB. */
async function teacherOf(how: {
  readonly parts: boolean;
  readonly tapped?: boolean;
  readonly looksAtPadding?: boolean;
  readonly engine?: Engine;
  readonly path?: string;
}): Promise<{ teacher: Teacher; path: string }> {
  const path = how.path ?? join(mkdtempSync(join(folder, 'model-')), `${models++}.onnx`);
  if (!how.path) writeModelFile(path, layeredModel({ looksAtPadding: how.looksAtPadding ?? false }));
  const opened = openModelFile(path, 256).graph;
  const requests = ['logits', 'layer_0/hidden', 'layer_1/hidden'].map(
    (tap): KnowledgeRequest => ({ tap, build: (_, graph) => graph.value(tap) }),
  );
  const graph = how.tapped ? tapTeacher(opened, requests).graph : opened;
  const bound = { memory: 30_000, rows: ROWS, length: LENGTH, folder: join(path, '..'), samples: new Map() };
  const teacher = await createOnnxTeacher({
    engine: how.engine ?? engine,
    model: graph,
    title: 'the teacher',
    preprocessing: 'none',
    hash: 'h',
    ...(how.parts && { bound }),
  });
  return { teacher, path };
}

async function allOf(answers: AsyncIterable<readonly [Batch, Record<string, Float32Array>]>) {
  const all: Record<string, number[]>[] = [];
  // A copy: what a session gives may be written over by its next run.
  for await (const [, said] of answers)
    all.push(Object.fromEntries(Object.entries(said).map(([tap, values]) => [tap, [...values]])));
  return all;
}

async function whole(teacher: Teacher, batches: readonly Batch[], taps: readonly string[]) {
  const all: Record<string, number[]>[] = [];
  for (const batch of batches) {
    const said = await teacher.label(batch, taps);
    all.push(Object.fromEntries(Object.entries(said).map(([tap, values]) => [tap, [...values]])));
  }
  return all;
}

describe('a teacher in parts', () => {
  it('answers as the whole model does, in the same bits, one batch alone and many together', async () => {
    const { teacher: one, path } = await teacherOf({ parts: false });
    const { teacher } = await teacherOf({ parts: true, path });
    expect(teacher.parts?.parts.length).toBeGreaterThan(2);
    const batches = texts(70);
    const expected = await whole(one, batches, ['logits']);
    expect(await allOf(teacher.labelAll!(batches, ['logits']))).toEqual(expected);
    expect(await whole(teacher, batches.slice(0, 2), ['logits'])).toEqual(expected.slice(0, 2));
    await teacher.close();
    await one.close();
    expect(readdirSync(join(path, '..'))).toEqual(['0.onnx']);
  });

  it('gives inner values from the parts that hold them', async () => {
    const { teacher: one, path } = await teacherOf({ parts: false, tapped: true });
    const { teacher } = await teacherOf({ parts: true, tapped: true, path });
    const taps = ['logits', 'layer_0/hidden', 'layer_1/hidden'];
    const makers = teacher.parts!.parts.map(({ answers }) => answers);
    expect(makers.filter((answers) => answers.length > 0).length).toBeGreaterThan(1);
    const batches = texts(30);
    const found = await allOf(teacher.labelAll!(batches, taps));
    const expected = await whole(one, batches, taps);
    const width = 16;
    for (const [at, batch] of batches.entries()) {
      expect(found[at]?.logits).toEqual(expected[at]?.logits);
      // Padding is left out between the parts, and in the answers to tokens.
      const mask = batch.columns.attention_mask!.data as BigInt64Array;
      for (const tap of taps.slice(1))
        for (let place = 0; place < batch.filled * LENGTH; place++) {
          const [own, other] = [found, expected].map((all) =>
            all[at]?.[tap]?.slice(place * width, (place + 1) * width),
          );
          expect(own).toEqual(mask[place] ? other : Array(width).fill(0));
        }
    }
    await teacher.close();
    await one.close();
  });

  it('carries padding where the answer depends on it, and says so', async () => {
    const { teacher: one, path } = await teacherOf({ parts: false, looksAtPadding: true });
    const { teacher } = await teacherOf({ parts: true, looksAtPadding: true, path });
    const told: string[] = [];
    const batches = texts(20);
    const found = await allOf(
      teacher.labelAll!(batches, ['logits'], { tell: (message) => told.push(message) }),
    );
    expect(found).toEqual(await whole(one, batches, ['logits']));
    expect(told).toEqual([expect.stringContaining('padding is kept between the parts')]);
    await teacher.close();
    await one.close();
  });

  it('goes on after it was stopped at any run, and ends in the same bits', async () => {
    const { teacher: one, path } = await teacherOf({ parts: false });
    const batches = texts(150);
    const expected = (await whole(one, batches, ['logits'])).flatMap(({ logits }) => logits);
    await one.close();
    let runs = 0;
    let stopAfter = Number.POSITIVE_INFINITY;
    const stopping: Engine = {
      ...engine,
      async load(...args) {
        const session = await engine.load(...args);
        return {
          ...session,
          run: (...given) => {
            if (runs++ >= stopAfter) throw new Error('stopped');
            return session.run(...given);
          },
        };
      },
    };
    const label = async (store: string) => {
      const { teacher } = await teacherOf({ parts: true, path, engine: stopping });
      const answers = await KnowledgeStore.open(store);
      try {
        const result = await labelSplit({
          teacher,
          taps: ['logits'],
          split: { batches: () => batches },
          store: answers,
          encoding: 'float32',
          batchSize: ROWS,
        });
        const space = await answers.space({
          title: 't',
          teacher: 'h',
          tap: 'logits',
          preprocessing: 'none',
          dims: [3],
          encoding: 'float32',
        });
        const read = new Float32Array(150 * 3);
        space.read(Uint8Array.from(batches.flatMap(({ keys }) => [...keys])), read);
        return { result, read: [...read] };
      } finally {
        await answers.close();
        await teacher.close();
      }
    };
    const store = () => mkdtempSync(join(folder, 'store-'));
    const undisturbed = await label(store());
    expect(undisturbed).toMatchObject({ read: expected, result: { labelled: 150, reused: 0, repeated: 0 } });
    const all = runs;
    // In the samples that padding is tried on, in the first part, between parts, in the last part, near the end.
    for (const part of [0.05, 0.45, 0.9]) {
      const own = store();
      runs = 0;
      stopAfter = Math.floor(part * all);
      await expect(label(own)).rejects.toThrow('stopped');
      stopAfter = Number.POSITIVE_INFINITY;
      runs = 0;
      const { read, result } = await label(own);
      expect(read).toEqual(expected);
      expect(result.labelled + result.reused).toBe(150);
      if (part > 0.2) expect(runs).toBeLessThan(all);
    }
    expect(readdirSync(join(path, '..'))).toEqual([expect.stringMatching(/\.onnx$/)]);
  });

  it('notices what was damaged between the parts, and runs them again', async () => {
    const { teacher: one, path } = await teacherOf({ parts: false });
    const batches = texts(40);
    const expected = await whole(one, batches, ['logits']);
    await one.close();
    const between = join(path, '..', 'between-parts');
    const damage = (pattern: RegExp) => {
      const name = readdirSync(between).find((file) => pattern.test(file)) as string;
      const bytes = readFileSync(join(between, name));
      bytes[bytes.length - 3]! ^= 1;
      writeFileSync(join(between, name), bytes);
    };
    const run = async (pattern: RegExp) => {
      const { teacher } = await teacherOf({ parts: true, path });
      const told: string[] = [];
      let isDamaged = false;
      const how = {
        resume: true,
        tell: (message: string) => told.push(message),
        onProgress: ({ part }: { part: number }) => {
          if (part === 1 && !isDamaged) damage(pattern);
          isDamaged ||= part === 1;
        },
      };
      try {
        return { answers: await allOf(teacher.labelAll!(batches, ['logits'], how)), told };
      } finally {
        await teacher.close();
      }
    };
    const mended = await run(/^part-2-to-3/);
    expect(mended.answers).toEqual(expected);
    expect(mended.told).toEqual([expect.stringMatching(/fails its checksum: the parts run again/)]);
    await expect(run(/^samples/)).rejects.toMatchObject({ code: 'teacher.damaged' });
  });
});
