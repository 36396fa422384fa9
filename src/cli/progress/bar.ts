import type { Colors } from '../terminal.ts';
import { fitText, formatCount, formatRate, formatTimeLeft, plainLine, textWidth } from './format.ts';
import { rateOf, secondsLeft } from './rate.ts';
import type { Task } from './task.ts';

const BAR_COLUMNS = { most: 24, least: 8 };
const GAP = '  ';

/**
 * One line for a task: `labelling ━━━━━━────  62 %  49,400/79,689 texts  2,130 texts/s  14 s left  note`, never
 * wider than `columns`. What does not fit is left out, the least important first.
 */
export function renderBar(task: Task, columns: number, now: number, colors: Colors): string {
  const fraction = task.total > 0 ? Math.min(1, Math.max(0, task.done / task.total)) : 0;
  const rate = rateOf(task.meter, now);
  const left = task.done < task.total ? secondsLeft(task.meter, task.total, now) : undefined;
  const name = plainLine(task.task);
  const percent = `${String(Math.floor(fraction * 100)).padStart(3)} %`;
  // In the order of importance; shown in the order of `place`.
  const optional = [
    { place: 2, text: left === undefined ? '' : `${formatTimeLeft(left)} left` },
    { place: 0, text: `${countOf(task)} ${plainLine(task.unit)}` },
    { place: 1, text: rate === undefined ? '' : formatRate(rate, plainLine(task.unit)) },
    { place: 3, text: plainLine(task.note ?? '') },
  ].filter(({ text }) => text !== '');

  const fixed = textWidth(name) + GAP.length + percent.length;
  let room = columns - fixed - (1 + BAR_COLUMNS.least);
  if (room < 0) return fitText(`${name} ${percent.trim()}`, columns);
  const shown: typeof optional = [];
  for (const part of optional) {
    const needed = GAP.length + textWidth(part.text);
    // The note may be cut; numbers may not.
    if (needed > room && part.place === 3 && room > GAP.length + 12) {
      shown.push({ ...part, text: fitText(part.text, room - GAP.length) });
      room = 0;
    } else if (needed <= room) {
      shown.push(part);
      room -= needed;
    } else break;
  }
  const size = Math.min(BAR_COLUMNS.most, BAR_COLUMNS.least + Math.max(0, room));
  const full = Math.round(fraction * size);
  const bar = colors.cyan('━'.repeat(full)) + colors.dim('─'.repeat(size - full));
  const rest = shown
    .sort((a, b) => a.place - b.place)
    .map(({ place, text }) => (place === 3 ? colors.dim(text) : text));
  return [`${name} ${bar}`, percent, ...rest].join(GAP);
}

/** The same without a terminal: `labelling 49,400/79,689 texts (62 %), 2,130 texts/s, 14 s left, note`. */
export function renderPlain(task: Task, now: number): string {
  const rate = rateOf(task.meter, now);
  const left = task.done < task.total ? secondsLeft(task.meter, task.total, now) : undefined;
  const percent = task.total > 0 ? ` (${Math.floor((task.done / task.total) * 100)} %)` : '';
  return plainLine(
    [
      `${task.task} ${countOf(task)} ${task.unit}${percent}`,
      rate !== undefined && formatRate(rate, task.unit),
      left !== undefined && `${formatTimeLeft(left)} left`,
      task.note,
    ]
      .filter((part) => part)
      .join(', '),
  );
}

/** `49,400/79,689`; `49,400` where nobody knows how many there will be. */
function countOf({ done, total }: Task): string {
  return total === 0 && done > 0 ? formatCount(done) : `${formatCount(done)}/${formatCount(total)}`;
}
