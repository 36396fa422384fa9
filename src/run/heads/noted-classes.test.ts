import { expect, test } from 'vitest';
import { openHead } from '../../targets/head.ts';
import { findTarget } from '../../targets/index.ts';
import type { AnyTarget } from '../../targets/target.ts';
import { requireNotedClasses } from './noted-classes.ts';

const head = (kind: string, space: unknown) =>
  openHead({ output: 'logits', target: findTarget(kind) as AnyTarget, options: {}, space, labels: 'labels' });
const noting = (...names: string[]) =>
  ({
    teacher: { kind: 'chat', classNotes: Object.fromEntries(names.map((name) => [name, 'a note'])) },
  }) as never;

test('notes on classes that there are not are refused with the nearest', () => {
  const heads = [head('class', { names: ['ham', 'spam', 'news'] })];
  requireNotedClasses(noting('ham', 'news'), heads);
  requireNotedClasses({ teacher: { kind: 'use-lite' } } as never, heads);
  expect(() => requireNotedClasses(noting('ham', 'Spam', 'x'), heads)).toThrow(
    expect.objectContaining({
      code: 'teacher.unknown-class',
      message: "there is a note on 'Spam' and 1 others, which is no class",
      remedy: "Name a class as the data do; the nearest are 'spam', 'ham', 'news'.",
    }),
  );
  // Kinds of spans are what the model is told, not the tags that they become.
  requireNotedClasses(noting('PER'), [head('token-classes', { kinds: ['PER'] })]);
  expect(() => requireNotedClasses(noting('a'), [head('number', { mean: 0, deviation: 1 })])).toThrow(
    /no class/,
  );
});
