import { expect, test } from 'vitest';
import { z } from 'zod';
import { allObjectives } from './index.ts';
import { type ObjectiveKind, termWeight } from './objective.ts';
import { progressiveStages } from './progressive.ts';

const loss = (kind: string, more: Partial<ObjectiveKind> = {}): ObjectiveKind => ({
  kind,
  options: z.strictObject({ weight: termWeight(0) }),
  term: () => expect.fail('no term is built to plan stages'),
  ...more,
});
const kd = loss('kd');
const hidden = loss('hidden', { level: 'sequence' });
const attention = loss('attention', { level: 'token' });
const reasons = loss('reasons', { level: 'task', knowledge: () => [] });
const boundary = loss('boundary', { level: 'task', adversarial: true });
const labels = loss('labels', { level: 'task' });

test('progressive distillation: answers, then what lies inside, then attacked samples', () => {
  expect(progressiveStages([kd, hidden, attention, reasons, boundary, labels])).toEqual([
    { name: 'answers', objectives: ['kd', 'labels'] },
    { name: 'layers', objectives: ['kd', 'labels', 'hidden', 'attention', 'reasons'] },
    { name: 'boundary', objectives: ['kd', 'labels', 'hidden', 'attention', 'reasons', 'boundary'] },
  ]);
});

test('parts that would add nothing are left out', () => {
  expect(progressiveStages([kd, labels])).toEqual([{ name: 'answers', objectives: ['kd', 'labels'] }]);
  expect(progressiveStages([kd, boundary]).map(({ name }) => name)).toEqual(['answers', 'boundary']);
  expect(progressiveStages([hidden]).map(({ name }) => name)).toEqual(['layers']);
});

test('every registered loss says its level, and has its place', () => {
  const kinds = allObjectives();
  expect(kinds.filter(({ level }) => level === undefined).map(({ kind }) => kind)).toEqual([]);
  const stages = progressiveStages(kinds);
  expect(stages.at(-1)?.objectives.toSorted()).toEqual(kinds.map(({ kind }) => kind).toSorted());
  expect(stages[0]?.objectives).toEqual(expect.arrayContaining(['kd', 'labels', 'dkd', 'dist', 'mlkd']));
  expect(stages[0]?.objectives).not.toContain('hidden');
});
