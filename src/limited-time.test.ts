import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { withinSeconds } from './limited-time.ts';

const tooLong = () => new Error('too long');

it('gives what the work gives, and throws what it throws', () => {
  expect(withinSeconds(1, () => withinSeconds(1, () => 7, tooLong), tooLong)).toBe(7);
  expect(() =>
    withinSeconds(
      1,
      () => {
        throw new RangeError('of its own');
      },
      tooLong,
    ),
  ).toThrow(RangeError);
});

it('stops a regular expression that never ends', () => {
  const started = performance.now();
  expect(() => withinSeconds(0.2, () => /(a+)+$/.test(`${'a'.repeat(40)}b`), tooLong)).toThrow('too long');
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(withinSeconds(1, () => 'next', tooLong)).toBe('next');
});

it.skipIf(process.platform === 'win32')('is stopped by Ctrl+C, and whoever listens hears of it', async () => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = `
    import { withinSeconds } from ${JSON.stringify(new URL('./limited-time.ts', import.meta.url).href)};
    process.on('SIGINT', () => console.log('heard'));
    console.log('running');
    try {
      withinSeconds(60, () => /(a+)+$/.test('a'.repeat(50) + 'b'), () => new Error('too long'));
    } catch (error) {
      console.log(error.code);
    }`;
  const child = spawn(process.execPath, ['--import', tsx, '--input-type=module', '-e', script]);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
    // Once it is in the expression.
    if (out === 'running\n') setTimeout(() => child.kill('SIGINT'), 300);
  });
  await once(child, 'close');
  expect(out).toBe('running\nheard\nrun.interrupted\n');
});
