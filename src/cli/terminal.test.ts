import { expect, test } from 'vitest';
import { terminalOf } from './terminal.ts';

const tty = { write: () => true, isTTY: true };
const pipe = { write: () => true };
const make = (
  env: Record<string, string>,
  stdout: { write(): boolean; isTTY?: boolean } = tty,
  stderr = tty,
) => terminalOf({ stdin: { isTTY: true }, stdout, stderr, env });

test('colours follow NO_COLOR, FORCE_COLOR and the stream', () => {
  expect(make({}).outColors.isColorSupported).toBe(true);
  expect(make({}, pipe).outColors.isColorSupported).toBe(false);
  expect(make({}, pipe).errColors.isColorSupported).toBe(true);
  expect(make({ NO_COLOR: '1', FORCE_COLOR: '1' }).outColors.isColorSupported).toBe(false);
  expect(make({ FORCE_COLOR: '1' }, pipe).outColors.isColorSupported).toBe(true);
  expect(make({ TERM: 'dumb' }).outColors.isColorSupported).toBe(false);
});

test('bars and questions need a terminal that a person looks at', () => {
  expect(make({})).toMatchObject({ live: true, interactive: true });
  expect(make({ CI: 'true' })).toMatchObject({ live: false, interactive: false });
  expect(make({ TERM: 'dumb' })).toMatchObject({ live: false, interactive: false });
  expect(make({}, pipe)).toMatchObject({ live: true, interactive: false });
  expect(make({}).columns()).toBe(80);
});
