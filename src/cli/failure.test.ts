import { readFile } from 'node:fs/promises';
import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { checkRecipe } from '../recipe/parse.ts';
import { reportFailure } from './failure.ts';
import { memoryTerminal } from './testing/memory-terminal.ts';

function failWith(error: unknown, json = false) {
  const terminal = memoryTerminal();
  return { code: reportFailure(error, terminal, json), ...terminal.written };
}

async function thrownBy(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test.each([
  ['recipe.unknown-key', 2],
  ['cli.no-run', 2],
  ['data.missing', 2],
  ['data.missing-column', 2],
  ['model.not-found', 2],
  ['teacher.model', 2],
  ['teacher.length', 2],
  ['tokenizer.missing', 2],
  ['data.not-installed', 1],
  ['data.empty', 1],
  ['store.disk-full', 1],
  ['export.int8-drop', 3],
  ['export.weights', 1],
  ['run.interrupted', 130],
] as const)('%s ends with %d', (code, exitCode) => {
  expect(failWith(new LimbeckError(code, 'm')).code).toBe(exitCode);
  expect(failWith(new LimbeckError(code, 'm'), true).code).toBe(exitCode);
});

test('what the person can mend has place and remedy, no stack', () => {
  const { err, out } = failWith(
    new LimbeckError('data.empty', 'no rows', { where: 'a.csv', remedy: 'Fill it.' }),
  );
  expect(err).toBe('error: no rows [data.empty]\n  at: a.csv\n  do: Fill it.\n');
  expect(out).toBe('');
});

test('our own mistakes have the stack and ask to be reported', () => {
  const { err, code } = failWith(new TypeError('x is undefined'));
  expect(code).toBe(1);
  expect(err).toMatch(
    /TypeError: x is undefined\n {4}at .*\n(.*\n)*This is a mistake in Limbeck. Please report/,
  );
  expect(failWith('a text').err).toMatch(/error: a text\n.*Please report/);
});

test("the system's refusals are neither", async () => {
  const { err, code } = failWith(await thrownBy(() => readFile('/nowhere/x')));
  expect(code).toBe(1);
  expect(err).toBe("error: ENOENT: no such file or directory, open '/nowhere/x' [ENOENT]\n");
});

test('an abort is an interruption', async () => {
  const { err, code } = failWith(await thrownBy(() => AbortSignal.abort().throwIfAborted()));
  expect(code).toBe(130);
  expect(err).toMatch(/the same command goes on/);
});

test('usage errors were told by commander already, but for JSON', () => {
  const usage = new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'");
  expect(failWith(usage)).toEqual({ code: 2, out: '', err: '' });
  expect(JSON.parse(failWith(usage, true).out)).toEqual({
    type: 'error',
    code: 'cli.usage',
    message: "unknown option '--x'",
  });
  expect(failWith(new CommanderError(0, 'commander.helpDisplayed', 'help'), true)).toMatchObject({
    code: 0,
    out: '',
  });
});

test('in JSON a recipe has its problems one by one', async () => {
  const { out, err, code } = failWith(await thrownBy(() => checkRecipe({ nam: 'x' })), true);
  expect(code).toBe(2);
  expect(err).toBe('');
  const { type, problems } = JSON.parse(out);
  expect(type).toBe('error');
  expect(problems).toContainEqual(
    expect.objectContaining({ path: 'nam', suggestion: 'name', kind: 'unknown-key' }),
  );
});
