import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { isRunning } from './running-process.ts';

it('tells a running process from one that has ended, and from what is no process id', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const pid = child.pid as number;
  expect(isRunning(pid)).toBe(true);
  child.kill();
  await once(child, 'exit');
  expect(isRunning(pid)).toBe(false);
  expect([0, -1, 1.5, Number.NaN].map(isRunning)).toEqual([false, false, false, false]);
});
