import { expect, test } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { reportFailure } from './failure.ts';
import { pluginBehind, rememberPlugin } from './plugin-mistakes.ts';
import { memoryTerminal } from './testing/memory-terminal.ts';

const PLUGINS = [{ name: 'counts', path: '/home/me/counts/counts.mjs' }];

function withStack<E extends Error>(error: E, ...frames: string[]): E {
  error.stack = [`${error.name}: ${error.message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}

const OURS = `readRows (${import.meta.url.replace('plugin-mistakes.test.ts', 'x.ts')}:1:2)`;

test.each([
  ['thrown in its file', ['Object.open (file:///home/me/counts/counts.mjs:7:11)', OURS], 'counts.mjs:7'],
  ['thrown in a file beside it', ['term (file:///home/me/counts/parts/loss.mjs:3:1)'], 'parts/loss.mjs:3'],
  [
    'of a library of ours that it called',
    [
      'Graph.gemm (file:///home/me/counts/node_modules/limbeck/dist/g.js:9:9)',
      'build (file:///home/me/counts/counts.mjs:5:5)',
    ],
    'counts.mjs:5',
  ],
  [
    'of Node, which it called',
    ['JSON.parse (<anonymous>)', 'async rows (file:///home/me/counts/counts.mjs:8:8)'],
    'counts.mjs:8',
  ],
  ['of ours', [OURS, 'async run (file:///home/me/limbeck/dist/run.js:4:4)'], undefined],
  [
    'of a package beside the plugin',
    ['x (file:///home/me/counts/node_modules/limbeck/dist/g.js:9:9)'],
    undefined,
  ],
])('an error %s', (_, frames, file) => {
  const behind = pluginBehind(withStack(new TypeError('x is undefined'), ...frames), PLUGINS);
  expect(behind).toEqual(file && { name: 'counts', where: `/home/me/counts/${file}` });
});

test('is told as one of the plugin, in words and as JSON', () => {
  rememberPlugin(PLUGINS[0]!);
  const error = withStack(new TypeError('x is undefined'), 'open (file:///home/me/counts/counts.mjs:7:11)');
  const terminal = memoryTerminal();
  expect(reportFailure(error, terminal, false)).toBe(1);
  expect(terminal.written.err).toMatch(
    /^error: the plugin 'counts' \(\/home\/me\/counts\/counts\.mjs:7\) failed: TypeError: x is undefined\n {4}at open .*\nThis is a mistake in the plugin 'counts'/,
  );
  const json = memoryTerminal();
  reportFailure(error, json, true);
  expect(JSON.parse(json.written.out)).toMatchObject({ code: 'plugin.mistake', plugin: 'counts' });
  // What it asked of us and we refused.
  const refused = withStack(
    new LimbeckError('model.shape', 'shapes differ'),
    'build (file:///home/me/counts/a.mjs:5:5)',
  );
  const told = memoryTerminal();
  reportFailure(refused, told, false);
  expect(told.written.err).toBe(
    "error: shapes differ [model.shape]\n  in: the plugin 'counts' (/home/me/counts/a.mjs:5)\n",
  );
  const ours = memoryTerminal();
  reportFailure(new TypeError('y'), ours, false);
  expect(ours.written.err).toMatch(
    /This is a mistake in Limbeck, or in what a plugin \('counts'\) gave it\. Please report/,
  );
});
