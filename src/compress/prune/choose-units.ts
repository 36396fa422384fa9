import type { UnitGroup } from '../channels/dependency-groups.ts';
import { cannotCompress } from '../transforms/cannot-compress.ts';
import { leastFirst } from './importance.ts';

/** How much of each group stays. */
export interface KeptShare {
  /** Of the units that the group had before any round, 0 to 1. */
  readonly share: number;
  /** A multiple of so many units stays. */
  readonly multiple: number;
  /** How many units groups had before any round, by name. */
  readonly before: ReadonlyMap<string, number>;
  /** For errors. */
  readonly where: string;
}

/**
 * The ids of the units that go: of every group the least important, as many as the share wants.
 *
 * @throws LimbeckError `compress.invalid` for a group of which nothing would be left
 */
export function uniformChoice(
  groups: readonly UnitGroup[],
  importanceOf: (group: UnitGroup) => readonly number[],
  kept: KeptShare,
): Set<number> {
  const removed = new Set<number>();
  for (const group of groups) {
    const count = keptCount(group, kept);
    const order = leastFirst(importanceOf(group));
    for (const index of order.slice(0, Math.max(0, group.units.length - count)))
      removed.add((group.units[index] as UnitGroup['units'][number]).id);
  }
  return removed;
}

/**
 * The same over all groups at once: the least important of them all go, as long as every group keeps a tenth of what it had.
 * Importances of different groups have to be comparable: they are taken as parts of their group's mean.
 */
export function globalChoice(
  groups: readonly UnitGroup[],
  importanceOf: (group: UnitGroup) => readonly number[],
  kept: KeptShare,
): Set<number> {
  const total = [...kept.before.values()].reduce((sum, count) => sum + count, 0);
  const now = groups.reduce((sum, { units }) => sum + units.length, 0);
  let left = now - Math.round(total * kept.share);
  const candidates = groups.flatMap((group, place) => {
    const importance = importanceOf(group);
    const mean = importance.reduce((sum, value) => sum + value, 0) / importance.length || 1;
    return group.units.map(({ id }, i) => ({ id, place, score: (importance[i] as number) / mean }));
  });
  const sizes = groups.map(({ units }) => units.length);
  const least = groups.map((group) => keptCount(group, { ...kept, share: Math.min(kept.share, LEAST) }));
  const removed = new Set<number>();
  for (const { id, place } of candidates.sort((a, b) => a.score - b.score || b.id - a.id)) {
    if (left <= 0) break;
    if ((sizes[place] as number) <= (least[place] as number)) continue;
    removed.add(id);
    sizes[place]--;
    left--;
  }
  return removed;
}

/** What every group keeps at least when groups are compared. */
const LEAST = 0.1;

/** How many units of a group stay. @throws LimbeckError `compress.invalid` where that is none */
function keptCount({ name, units }: UnitGroup, { share, multiple, before, where }: KeptShare): number {
  const all = before.get(name) ?? units.length;
  const count = Math.round((all * share) / multiple) * multiple;
  if (count >= 1) return Math.min(units.length, count);
  const [unit] = units;
  const isHead = unit?.parts.some(({ indices }) => indices.length > 1);
  throw cannotCompress(
    { where },
    isHead
      ? `nothing would be left of ${name}: its ${all} heads (or groups of channels) would have no width`
      : `the layer of ${name} would be empty: of ${all} channels none would be left`,
    'Lower `amount` (or `multiple`), or name the layer in `skip`.',
  );
}
