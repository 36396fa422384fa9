import { Worker } from 'node:worker_threads';
import { type Assignment, type DecoderModule, tellError } from './messages.ts';

// The process that decodes what is not trusted: it does what it is told, one file after another.

/** Pieces that may be on their way at once: while one is taken in, the next is made. */
const AHEAD = 2;

/** Looks after the process from a thread of its own, for its main thread may be in a loop that never ends. */
const GUARD = `
const { workerData, parentPort } = require('node:worker_threads');
let memoryBytes = 0;
// What an earlier file took may not have been given back yet.
parentPort.on('message', (bytes) => { memoryBytes = Math.max(memoryBytes, bytes); });
setInterval(() => {
  const orphaned = process.ppid !== workerData.parent;
  if (orphaned || (memoryBytes > 0 && process.memoryUsage.rss() > memoryBytes)) process.kill(process.pid, 'SIGKILL');
}, 25);
`;

const guard = new Worker(GUARD, { eval: true, workerData: { parent: process.ppid } });
guard.unref();
let free = AHEAD;
let wake: (() => void) | undefined;

// Ctrl+C goes to all processes of a terminal; what becomes of this one is its parent's to decide.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  if (message !== 'taken') return void start(message as Assignment);
  free++;
  wake?.();
});

async function start({ decoder, input, memoryBytes }: Assignment): Promise<void> {
  guard.postMessage(memoryBytes);
  try {
    const { decode } = (await import(decoder)) as DecoderModule<unknown, unknown>;
    process.send?.({ begun: true });
    for await (const piece of decode(input)) {
      while (free === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      free--;
      process.send?.({ piece });
    }
    process.send?.({ done: true });
  } catch (error) {
    process.send?.({ error: tellError(error) });
  }
}
