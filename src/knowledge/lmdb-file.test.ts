import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLmdb } from './lmdb-file.ts';

test('a record is an array of its own length, whoever measures it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-lmdb-'));
  const file = openLmdb(folder, 'write');
  try {
    const key = new Uint8Array(16).fill(1);
    const record = Uint8Array.from({ length: 24 }, (_, i) => i);
    file.put([key], [record]);
    const found = file.get(key) as Uint8Array;
    // As Node 24 does in `subarray`: by the array itself, not by what its property `length` says.
    expect(Uint8Array.prototype.slice.call(found, 4)).toEqual(record.slice(4));
    expect(file.get(new Uint8Array(16))).toBeUndefined();
  } finally {
    await file.close();
    rmSync(folder, { recursive: true });
  }
});
