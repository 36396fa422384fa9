import type { Split } from '../../data/split.ts';
import { createSha256 } from '../../platform/hash.ts';
import { type Head, openHead } from '../../targets/head.ts';
import { sampledRows } from '../batches/sample-batches.ts';
import { isTaughtAlone } from './taught-truth.ts';

/** Labelled samples that are looked at: rates of one in a hundred are known to a seventh. */
const SAMPLES = 4096;
const ROWS = 256;

/** The heads as their layers begin: with what the labelled training samples say of their outputs before anything is learnt. */
export function withPriors(heads: readonly Head[], labelled: Split): readonly Head[] {
  const priors = heads.map((head) =>
    isTaughtAlone(head) || labelled.size === 0 ? undefined : head.target.prior?.(head),
  );
  if (priors.every((prior) => prior === undefined)) return heads;
  for (const batch of sampledRows(labelled, SAMPLES).batches(ROWS))
    for (const prior of priors) prior?.add(batch);
  return heads.map((head, i) => {
    const prior = priors[i]?.result();
    return prior ? openHead({ ...head, prior }) : head;
  });
}

/** A hash of what the heads' layers begin with beside their parameters; undefined where that is 0 for all. */
export function startOf(heads: readonly Head[]): string | undefined {
  const begun = heads.flatMap(({ output, prior }) => (prior ? [[output, [...prior]]] : []));
  return begun.length === 0 ? undefined : createSha256().update(JSON.stringify(begun)).digest('hex');
}
