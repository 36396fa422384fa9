import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { abortOnInterrupt } from './interrupts.ts';

test.each([
  ['SIGINT', 'SIGINT'],
  ['SIGTERM', 'SIGINT'],
])('%s asks for a clean stop, %s after it ends at once', (first, second) => {
  const source = new EventEmitter();
  const handlers = { announce: vi.fn(), exit: vi.fn() };
  const { signal } = abortOnInterrupt(source, handlers);
  expect(signal.aborted).toBe(false);
  source.emit(first);
  expect(signal.aborted).toBe(true);
  expect(handlers.announce).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('again to stop at once'));
  expect(handlers.exit).not.toHaveBeenCalled();
  source.emit(second);
  expect(handlers.exit).toHaveBeenCalledExactlyOnceWith(130);
});
