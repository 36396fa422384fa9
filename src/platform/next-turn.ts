/**
 * Lets other work of this thread have a turn: signals, timers, a page's drawing and clicks. A promise that is resolved already
 * does not.
 */
export const nextTurn: () => Promise<void> =
  typeof setImmediate === 'function'
    ? () => new Promise((resolve) => setImmediate(resolve))
    : () =>
        new Promise((resolve) => {
          // A timer of 0 ms becomes one of 4 ms when it is asked for often.
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => {
            port1.close();
            resolve();
          };
          port2.postMessage(null);
        });
