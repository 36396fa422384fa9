import { register, registry } from '../registry.ts';
import { boxes } from './boxes.ts';
import { classTarget } from './class.ts';
import { classes } from './classes.ts';
import { embedding } from './embedding.ts';
import { frameClasses } from './frame-classes.ts';
import { nextTokens } from './next-tokens.ts';
import { number } from './number.ts';
import { pairs } from './pairs.ts';
import { sentence } from './sentence.ts';
import type { AnyTarget } from './target.ts';
import { tokenClasses } from './token-classes.ts';

export { type AttachedHead, classesOf, type Head, openHead } from './head.ts';
export type { AnyTarget, Target, TargetContext } from './target.ts';

/** Every kind of answer that an output can have. A new one is a file beside these, and a line here. */
const TARGETS = registry('target', [
  classTarget,
  classes,
  number,
  embedding,
  pairs,
  tokenClasses,
  frameClasses,
  boxes,
  sentence,
  nextTokens,
]) as readonly unknown[] as readonly AnyTarget[];

/** Adds a target from outside the package. Throws LimbeckError `plugin.duplicate`, `plugin.kind`. */
export function registerTarget(target: AnyTarget): void {
  register(TARGETS, target);
}

/** The target of a name; undefined for others. */
export function findTarget(kind: string): AnyTarget | undefined {
  return TARGETS.find((one) => one.kind === kind);
}

/** All of them, in the order in which they are shown. */
export function targets(): readonly AnyTarget[] {
  return TARGETS;
}
