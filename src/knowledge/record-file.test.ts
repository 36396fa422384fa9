import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { appendFileSync, readFileSync, useFiles, writeFileSync } from '../platform/files.ts';
import { MemoryFiles } from '../platform/memory-files.ts';
import { openLmdb } from './lmdb-file.ts';
import { RecordFile } from './record-file.ts';

let restore: () => void;
beforeEach(() => {
  const files = new MemoryFiles();
  files.mkdirSync('/space');
  restore = useFiles(files);
});
afterEach(() => restore());

const key = (number: number) => Uint8Array.from([number, 255 - number, 7]);
const bytes = (...values: number[]) => Uint8Array.from(values);

it('finds again what was kept, after it is opened anew', () => {
  const file = new RecordFile('/space');
  file.put([key(2), key(1)], [bytes(20), bytes(10, 11)]);
  file.put([key(2)], [bytes(21)]);
  file.put([key(3)], [bytes()]);
  file.remove([key(1), key(9)]);
  for (const one of [file, new RecordFile('/space')]) {
    expect(one.count).toBe(2);
    expect(one.has(key(1))).toBe(false);
    expect([...(one.get(key(2)) as Uint8Array)]).toEqual([21]);
    expect([...(one.get(key(3)) as Uint8Array)]).toEqual([]);
  }
});

it('leaves out a write that was cut off, and goes on behind what was whole', () => {
  const file = new RecordFile('/space');
  file.put([key(1)], [bytes(10)]);
  const whole = readFileSync('/space/records');
  file.put([key(2)], [bytes(20)]);
  const both = readFileSync('/space/records');
  for (let length = whole.length; length < both.length; length++) {
    writeFileSync('/space/records', both.subarray(0, length));
    const cut = new RecordFile('/space');
    expect(cut.count).toBe(1);
    cut.put([key(3)], [bytes(30)]);
    expect(new RecordFile('/space').count).toBe(2);
  }
});

it('leaves out a record whose bytes were changed', () => {
  new RecordFile('/space').put([key(1), key(2)], [bytes(10), bytes(20)]);
  const damaged = readFileSync('/space/records').slice();
  damaged[damaged.length - 1] = 99;
  writeFileSync('/space/records', damaged);
  appendFileSync('/space/records', bytes(1, 2, 3));
  expect([...new RecordFile('/space').entries(undefined, 9)].map((entry) => [...entry.key])).toEqual([
    [...key(1)],
  ]);
});

it('does what LMDB does', () => {
  restore();
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-records-'));
  const [lmdb, memory] = [openLmdb(folder, 'write'), new MemoryFiles()];
  memory.mkdirSync('/space');
  restore = useFiles(memory);
  const file = new RecordFile('/space');
  try {
    const someKey = fc.uint8Array({ minLength: 4, maxLength: 4, max: 3 });
    const step = fc.record({
      puts: fc.array(fc.tuple(someKey, fc.uint8Array({ maxLength: 5 })), { maxLength: 4 }),
      removals: fc.array(someKey, { maxLength: 2 }),
      after: fc.option(someKey, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        for (const { puts, removals, after } of steps) {
          const listed = [lmdb, file].map((one) => {
            one.put(
              puts.map(([name]) => name),
              puts.map(([, record]) => record),
            );
            one.remove(removals);
            return one.entries(after, 3).map(({ key, record }) => [[...key], [...record]]);
          });
          expect(listed[1]).toEqual(listed[0]);
          expect(file.count).toBe(lmdb.count);
        }
      }),
      { numRuns: 60 },
    );
  } finally {
    restore();
    restore = () => {};
    void lmdb.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
