import { classes } from './classes.ts';
import { embedding } from './embedding.ts';
import { number } from './number.ts';
import { pairs } from './pairs.ts';
import type { AnyTarget } from './target.ts';
import { tokenClasses } from './token-classes.ts';

export { type AttachedHead, classesOf, type Head, openHead } from './head.ts';
export type { AnyTarget, Target, TargetContext } from './target.ts';

/** Every kind of answer that an output can have. A new one is a file beside these, and a line here. */
const TARGETS = [classes, number, embedding, pairs, tokenClasses] as readonly unknown[] as AnyTarget[];

/** Adds a target from outside the package. Throws where its name is taken. */
export function registerTarget(target: AnyTarget): void {
  if (findTarget(target.kind)) throw new Error(`there is a target ${target.kind} already`);
  TARGETS.push(target);
}

/** The target of a name; undefined for others. */
export function findTarget(kind: string): AnyTarget | undefined {
  return TARGETS.find((one) => one.kind === kind);
}

/** All of them, in the order in which they are shown. */
export function targets(): readonly AnyTarget[] {
  return TARGETS;
}
