import pico from 'picocolors';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../events.ts';
import { screenAfter } from '../testing/memory-terminal.ts';
import { textWidth } from './format.ts';
import { jsonProgress } from './json-progress.ts';
import { liveProgress } from './live-progress.ts';
import { plainProgress } from './plain-progress.ts';

function progressEvent(stage: 'label' | 'train' | 'baseline', done: number): RunEvent {
  return { type: 'progress', stage, task: `${stage} task`, done, total: 100, unit: 'steps', note: 'n' };
}

/** A display with a clock that tests move, and what it wrote. */
function watch(columns = 100) {
  const state = { now: 1_000_000, written: '', columns };
  const write = (text: string) => {
    state.written += text;
  };
  const clock = () => state.now;
  const colors = pico.createColors(false);
  return {
    state,
    write,
    clock,
    live: () => liveProgress({ write, clock, colors, columns: () => state.columns }),
  };
}

test('live: one line a stage at work, finished ones above, the cursor restored', () => {
  const { state, live } = watch();
  const progress = live();
  progress.onEvent({ type: 'stage-start', stage: 'data', title: 'reading glosses' });
  expect(screenAfter(state.written)).toEqual({
    lines: ['› data      reading glosses  0.0 s'],
    cursorVisible: false,
  });
  state.now += 3100;
  progress.onEvent({ type: 'stage-end', stage: 'data', seconds: 3.1, summary: '79,689 texts' });
  progress.onEvent({ type: 'stage-skip', stage: 'teacher', reason: 'done before' });
  progress.onEvent({ type: 'stage-start', stage: 'train', title: 'training' });
  progress.onEvent({ type: 'stage-start', stage: 'baseline', title: 'baseline' });
  for (const done of [0, 10, 20]) {
    state.now += 1000;
    progress.onEvent(progressEvent('train', done));
    progress.onEvent(progressEvent('baseline', done / 2));
  }
  progress.onEvent({ type: 'log', level: 'warn', message: 'the kd term\u001B[2J is inert' });
  const { lines } = screenAfter(state.written);
  expect(lines.slice(0, 3)).toEqual([
    '✔ data          3.1 s  79,689 texts',
    '↷ teacher           -  done before',
    '! the kd term is inert',
  ]);
  expect(lines[3]).toMatch(
    /^› train {5}train task ━+─+ {3}20 % {2}20\/100 steps {2}10 steps\/s {2}8 s left {2}n$/,
  );
  expect(lines[4]).toMatch(/^› baseline {2}baseline task .* 10 %/);
  expect(lines).toHaveLength(5);
  progress.onEvent({ type: 'stage-end', stage: 'baseline', seconds: 3, summary: 'worse' });
  progress.onEvent({ type: 'stage-end', stage: 'train', seconds: 3, summary: 'better' });
  progress.close();
  const after = screenAfter(state.written);
  expect(after.cursorVisible).toBe(true);
  expect(after.lines.slice(3)).toEqual(['✔ baseline      3.0 s  worse', '✔ train         3.0 s  better', '']);
});

test('live: closing in the middle leaves no half line, and the cursor', () => {
  const { state, live } = watch();
  const progress = live();
  progress.onEvent(progressEvent('label', 3));
  progress.close();
  expect(screenAfter(state.written)).toEqual({ lines: [''], cursorVisible: true });
  const before = state.written;
  progress.onEvent(progressEvent('label', 4));
  progress.close();
  expect(state.written).toBe(before);
});

test('live: a flood of events is drawn a few times a second', () => {
  const { state, live } = watch();
  const progress = live();
  let frames = 0;
  let length = 0;
  for (let i = 0; i < 1000; i++) {
    state.now += 1;
    progress.onEvent(progressEvent('train', i / 10));
    if (state.written.length > length) frames += 1;
    length = state.written.length;
  }
  progress.close();
  expect(frames).toBeGreaterThan(5);
  expect(frames).toBeLessThanOrEqual(11);
});

test('live: no line reaches the last column, however narrow the terminal', () => {
  for (const columns of [1, 5, 12, 20, 30, 50, 80]) {
    const { state, live } = watch(columns);
    const progress = live();
    progress.onEvent({ type: 'stage-start', stage: 'label', title: 'asking the teacher about every text' });
    state.now += 1000;
    progress.onEvent(progressEvent('label', 50));
    for (const line of screenAfter(state.written).lines)
      expect(textWidth(line)).toBeLessThan(Math.max(2, columns));
    progress.close();
  }
});

test('plain: lines with a time, progress at most every few seconds', () => {
  const { state, write, clock } = watch();
  const progress = plainProgress(write, clock);
  progress.onEvent({ type: 'stage-start', stage: 'label', title: 'asking the teacher' });
  for (let i = 1; i <= 100; i++) {
    state.now += 200;
    progress.onEvent(progressEvent('label', i));
  }
  progress.onEvent({ type: 'stage-end', stage: 'label', seconds: 20, summary: '100 texts' });
  progress.onEvent({ type: 'log', level: 'warn', message: 'two\nlines' });
  progress.onEvent({ type: 'metrics', stage: 'train', values: { loss: 1 } });
  const lines = state.written.trimEnd().split('\n');
  expect(lines.every((line) => /^\d\d:\d\d:\d\d /.test(line))).toBe(true);
  const texts = lines.map((line) => line.slice(9));
  expect(texts[0]).toBe('label: asking the teacher');
  expect(texts[1]).toBe('label: label task 25/100 steps (25 %), 5 steps/s, 15 s left, n');
  expect(texts.slice(-2)).toEqual(['label: done in 20 s, 100 texts', 'warning: two lines']);
  expect(lines).toHaveLength(7);
});

test('json: every event is a line', () => {
  const { state, write } = watch();
  const events: RunEvent[] = [progressEvent('train', 1), { type: 'log', level: 'info', message: 'a\nb' }];
  const progress = jsonProgress(write);
  for (const event of events) progress.onEvent(event);
  expect(
    state.written
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(events);
});
