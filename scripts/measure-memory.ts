/**
 * Measures what memory a run's data take: made texts are prepared, labelled by a made-up teacher and read once as batches.
 *
 *     npx tsx scripts/measure-memory.ts [TEXTS ...]        # 100000 and 1000000 by default; Linux
 *
 * Each number of texts has a process of its own. Of its resident memory, what it holds (RssAnon) is told apart from files that
 * are mapped (RssFile: the store, prepared data, libraries), which the system takes back when something else needs the room.
 */

import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { SEQUENCE } from '../src/data/columns.ts';
import { labelSplit } from '../src/knowledge/label.ts';
import { randomStream } from '../src/random.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import { splitBatches } from '../src/run/batches/sample-batches.ts';
import { batchesByBucket } from '../src/run/batches/training-data.ts';
import { openRun } from '../src/run/context/run-context.ts';
import { openTask } from '../src/run/tasks/index.ts';
import type { Teacher } from '../src/teachers/teacher.ts';
import { HeldMemory } from './held-memory.ts';
import { scriptArguments } from './script-arguments.ts';

const CLASSES = 26;
const WORDS = 20_000;
const ROWS = 512;

const { values, positionals } = scriptArguments(import.meta.url, {
  allowPositionals: true,
  options: { here: { type: 'string' } },
});
if (values.here !== undefined) await measure(Number(values.here));
else {
  const counts = positionals.length === 0 ? ['100000', '1000000'] : positionals;
  for (const count of counts) {
    const script = fileURLToPath(import.meta.url);
    execFileSync(process.execPath, ['--import', 'tsx', script, '--here', count], { stdio: 'inherit' });
  }
}

async function measure(count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-memory-'));
  try {
    await pipeline(Readable.from(rows(count)), createWriteStream(join(folder, 'texts.jsonl')));
    const recipe = parseRecipe(
      JSON.stringify({
        name: 'memory',
        data: {
          source: { kind: 'jsonl', path: 'texts.jsonl' },
          splits: { validation: 1000, test: 1000 },
          maxLength: 32,
          buckets: [16, 32],
        },
        student: { kind: 'text-ngrams' },
      }),
    );
    const run = await openRun(recipe, {
      out: join(folder, 'run'),
      storeFolder: join(folder, 'store'),
      recipeFolder: folder,
      allowPaths: [folder],
    });
    const held = new HeldMemory();
    held.tell(`${count} texts, begun`);
    const task = await openTask(run);
    const { dataset } = await task.prepareData({ onProgress: () => held.look() });
    held.tell(`${count} texts, prepared`);
    const { train } = dataset.splits;
    const teacher = madeUpTeacher();
    await labelSplit({
      teacher,
      taps: ['logits'],
      split: { batches: (size) => splitBatches(train, size) },
      store: run.store,
      batchSize: ROWS,
      onProgress: () => held.look(),
    });
    held.tell(`${count} texts, labelled`);
    const { title, hash, preprocessing } = teacher;
    const space = await run.store.space({
      title,
      teacher: hash,
      tap: 'logits',
      preprocessing,
      dims: [CLASSES],
      encoding: 'float16',
    });
    const knowledge = new Map([['logits', space]]);
    const batches = batchesByBucket({ split: train, batchSize: ROWS, seed: 1, knowledge });
    for (let index = 0; index < batches.batchesPerEpoch; index++) {
      batches.batch({ epoch: 0, index });
      if (index % 16 === 0) held.look();
    }
    held.tell(`${count} texts, read once`);
    dataset.close();
    await run.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Texts of 6 to 24 made words. */
function* rows(count: number): Generator<string> {
  const random = randomStream(1, 'memory');
  for (let id = 0; id < count; id++) {
    const words = Array.from(
      { length: 6 + random.integer(19) },
      () => `w${random.integer(WORDS).toString(36)}`,
    );
    yield `${JSON.stringify({ text: words.join(' '), label: `class ${id % CLASSES}` })}\n`;
  }
}

/** Its answers are the first tokens' ids: no time goes into them. */
function madeUpTeacher(): Teacher {
  return {
    title: 'made up',
    hash: 'made-up',
    preprocessing: 'none',
    outputs: { logits: { type: 'float32', dims: [CLASSES] } },
    async label({ filled, columns, sizes }) {
      const ids = columns.input_ids?.data as BigInt64Array;
      const length = sizes[SEQUENCE] as number;
      const at = (row: number, i: number) => Number((ids[row * length + (i % length)] as bigint) % 100n);
      return {
        logits: Float32Array.from({ length: filled * CLASSES }, (_, i) =>
          at(Math.floor(i / CLASSES), i % CLASSES),
        ),
      };
    },
    close: async () => {},
  };
}
