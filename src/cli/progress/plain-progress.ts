import type { StageName } from '../../events.ts';
import { renderPlain } from './bar.ts';
import { formatDuration, plainLine } from './format.ts';
import type { Clock, Progress } from './progress.ts';
import { advance, type Task } from './task.ts';

/** Logs are read later, by people: a line of progress at most this often. */
const LINE_EVERY_SECONDS = 5;

/** Timestamped lines, for logs and pipes. */
export function plainProgress(write: (text: string) => void, clock: Clock = Date.now): Progress {
  const tasks = new Map<StageName, Task>();
  let lastLine = Number.NEGATIVE_INFINITY;
  const print = (text: string) => write(`${timeOfDay(clock())} ${plainLine(text)}\n`);
  return {
    onEvent(event) {
      switch (event.type) {
        case 'stage-start':
          print(`${event.stage}: ${event.title}`);
          lastLine = clock() / 1000;
          break;
        case 'stage-end':
          tasks.delete(event.stage);
          print(`${event.stage}: done in ${formatDuration(event.seconds)}, ${event.summary}`);
          break;
        case 'stage-skip':
          print(`${event.stage}: skipped, ${event.reason}`);
          break;
        case 'progress': {
          const now = clock() / 1000;
          const task = advance(tasks.get(event.stage), event, now);
          tasks.set(event.stage, task);
          if (now - lastLine < LINE_EVERY_SECONDS) break;
          lastLine = now;
          print(`${event.stage}: ${renderPlain(task, now)}`);
          break;
        }
        case 'log':
          print(event.level === 'warn' ? `warning: ${event.message}` : event.message);
          break;
        case 'metrics':
          break;
      }
    },
    close: () => {},
  };
}

function timeOfDay(milliseconds: number): string {
  return new Date(milliseconds).toTimeString().slice(0, 8);
}
