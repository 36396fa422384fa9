import { classes } from './classes.ts';
import { embedding } from './embedding.ts';
import { number } from './number.ts';
import type { AnyTarget } from './target.ts';
import { tokenClasses } from './token-classes.ts';

export { type AttachedHead, classesOf, type Head, openHead } from './head.ts';
export type { AnyTarget, Target, TargetContext } from './target.ts';

/** The kinds of answers that an output can have. To add one: a file beside these, and a line here. */
export const TARGETS = [classes, number, embedding, tokenClasses] as const;

/** A target of the registry. */
export function targetOf(kind: string): AnyTarget {
  const found = (TARGETS as readonly unknown[] as readonly AnyTarget[]).find((one) => one.kind === kind);
  if (!found) throw new Error(`no target ${kind}`);
  return found;
}
