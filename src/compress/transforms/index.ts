import { registry } from '../../registry.ts';
import { exits } from './exits.ts';
import { group } from './group.ts';
import { lowRank } from './low-rank.ts';
import { prune } from './prune.ts';
import { qat } from './qat.ts';
import type { Transform } from './transform.ts';

/** What recipes can name under `compress`. To add a transform: a file beside these, and a line here. */
export const TRANSFORMS = registry('transform', [exits, group, lowRank, prune, qat]);

/** An entry of a recipe's list. */
export interface TransformItem {
  readonly kind: string;
  readonly [option: string]: unknown;
}

/** Throws an Error for a kind that no schema lets through. */
export function findTransform(kind: string): Transform {
  const found = (TRANSFORMS as readonly unknown[] as readonly Transform[]).find((one) => one.kind === kind);
  if (!found) throw new Error(`there is no transform ${kind}`);
  return found;
}
