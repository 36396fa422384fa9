import type { StageName } from '../../events.ts';
import type { Colors } from '../terminal.ts';
import { renderBar } from './bar.ts';
import { fitText, formatDuration, plainLine } from './format.ts';
import { LiveArea } from './live-area.ts';
import type { Clock, Progress } from './progress.ts';
import { advance, type Task } from './task.ts';

/** Faster than the eye reads, slow enough to cost nothing. */
const REDRAW_MILLISECONDS = 100;
const STAGE_COLUMNS = 9;

export interface LiveProgressOptions {
  write: (text: string) => void;
  columns: () => number;
  colors: Colors;
  clock?: Clock;
}

/** A line that moves for every stage at work; finished stages stay above as a line each. */
export function liveProgress({ write, columns, colors, clock = Date.now }: LiveProgressOptions): Progress {
  const area = new LiveArea(write);
  const running = new Map<StageName, { title: string; since: number; task?: Task }>();
  let lastDraw = Number.NEGATIVE_INFINITY;
  let closed = false;

  const stageName = (stage: StageName) => stage.padEnd(STAGE_COLUMNS);
  const liveLines = () => {
    const now = clock() / 1000;
    // The last column stays free: a full line would make some terminals wrap.
    const room = Math.max(1, columns() - 1);
    return [...running].map(([stage, { title, since, task }]) => {
      const head = `${stageName(stage)} `;
      const rest = room - 2 - head.length;
      if (rest < 8) return fitText(task ? `${stage} ${task.done}/${task.total}` : stage, room);
      const body = task
        ? renderBar(task, rest, now, colors)
        : fitText(`${plainLine(title)}  ${formatDuration(now - since)}`, rest);
      return `${colors.cyan('›')} ${colors.bold(head)}${body}`;
    });
  };
  const draw = (...above: string[]) => {
    lastDraw = clock();
    area.draw(liveLines(), above);
  };
  const redraw = () => {
    if (!closed && clock() - lastDraw >= REDRAW_MILLISECONDS) draw();
  };
  // Keeps the elapsed time moving between events; does not keep the process alive.
  const timer = setInterval(redraw, 500);
  timer.unref();

  return {
    onEvent(event) {
      if (closed) return;
      switch (event.type) {
        case 'stage-start':
          running.set(event.stage, { title: event.title, since: clock() / 1000 });
          draw();
          break;
        case 'progress': {
          const stage = running.get(event.stage) ?? { title: event.task, since: clock() / 1000 };
          running.set(event.stage, { ...stage, task: advance(stage.task, event, clock() / 1000) });
          redraw();
          break;
        }
        case 'stage-end': {
          running.delete(event.stage);
          const seconds = formatDuration(event.seconds).padStart(10);
          draw(
            `${colors.green('✔')} ${colors.bold(stageName(event.stage))}${seconds}  ${plainLine(event.summary)}`,
          );
          break;
        }
        case 'stage-skip':
          running.delete(event.stage);
          draw(
            `${colors.dim('↷')} ${stageName(event.stage)}${'-'.padStart(10)}  ${colors.dim(plainLine(event.reason))}`,
          );
          break;
        case 'log':
          draw(
            event.level === 'warn'
              ? `${colors.yellow('!')} ${plainLine(event.message)}`
              : colors.dim(`  ${plainLine(event.message)}`),
          );
          break;
        case 'metrics':
          break;
      }
    },
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      area.close();
    },
  };
}
