import pico from 'picocolors';
import { expect, test } from 'vitest';
import { renderBar, renderPlain } from './bar.ts';
import { textWidth } from './format.ts';
import { advance, type ProgressEvent, type Task } from './task.ts';

const colors = pico.createColors(false);

function taskAt(done: number, more: Partial<ProgressEvent> = {}): Task {
  const event: ProgressEvent = {
    type: 'progress',
    stage: 'label',
    task: 'labelling',
    done: 0,
    total: 80_000,
    unit: 'texts',
    ...more,
  };
  return advance(advance(undefined, event, 0), { ...event, done }, 10);
}

test('a wide line says everything', () => {
  const line = renderBar(taskAt(20_000, { note: 'int8' }), 120, 10, colors);
  expect(line).toBe(
    'labelling ━━━━━━──────────────────   25 %  20,000/80,000 texts  2,000 texts/s  30 s left  int8',
  );
});

test('no line is wider than its room, and the most important stays', () => {
  for (let columns = 0; columns <= 130; columns++) {
    const line = renderBar(taskAt(20_000, { note: 'loss 1.23, validation 57.8 %' }), columns, 10, colors);
    expect(textWidth(line)).toBeLessThanOrEqual(columns);
    if (columns >= 14) expect(line).toContain('25 %');
    if (columns >= 40) expect(line).toContain('30 s left');
  }
});

test('the end has no time left, and more than all is full', () => {
  expect(renderBar(taskAt(80_000), 100, 10, colors)).not.toContain('left');
  expect(renderBar(taskAt(90_000), 100, 10, colors)).toMatch(/━{24} {2}100 %/);
  expect(renderBar(taskAt(0, { total: 0 }), 100, 10, colors)).toContain('  0 %');
});

test('the plain line', () => {
  expect(renderPlain(taskAt(20_000, { note: 'int8' }), 10)).toBe(
    'labelling 20,000/80,000 texts (25 %), 2,000 texts/s, 30 s left, int8',
  );
  expect(renderPlain(taskAt(0, { total: 0 }), 10)).toBe('labelling 0/0 texts');
  expect(renderPlain(taskAt(86, { total: 0 }), 10)).toMatch(/^labelling 86 texts/);
});

test('a new task of the stage starts a new rate', () => {
  const task = advance(taskAt(20_000), { ...taskAt(0), type: 'progress', task: 'checking', done: 7 }, 11);
  expect(task.meter.points).toEqual([{ time: 11, done: 7 }]);
});
