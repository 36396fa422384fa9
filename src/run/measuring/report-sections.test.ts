import { expect, test } from 'vitest';
import { saidByTeacher } from './report-sections.ts';

test('of what only a teacher knows, nothing is told as the truth', () => {
  const said = (...who: ('truth' | 'teacher' | 'student')[]) => ({
    block: 'samples' as const,
    title: 'Nearest neighbours',
    about: 'Among all.',
    samples: [{ text: 'a', said: who.map((one) => ({ who: one, words: one })) }],
  });
  const speakers = (block: ReturnType<typeof saidByTeacher>) =>
    block.block === 'samples' && block.samples[0]?.said.map(({ who, words }) => `${who}: ${words}`);
  expect(speakers(saidByTeacher(said('truth', 'student')))).toEqual(['teacher: truth', 'student: student']);
  expect(speakers(saidByTeacher(said('truth', 'teacher', 'student')))).toEqual([
    'teacher: teacher',
    'student: student',
  ]);
});
