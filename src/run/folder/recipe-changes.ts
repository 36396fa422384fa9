import { parse } from 'yaml';
import { canonicalJson } from '../../data/canonical-json.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { stringifyRecipe } from '../../recipe/write.ts';

/** Keys of a hosted teacher that change neither its answers nor what is made of them. */
const SPENDING_KEYS = [
  'budget',
  'prices',
  'key',
  'concurrency',
  'requestsPerMinute',
  'timeout',
  'retries',
  'pause',
  'batch',
  'maxUnanswered',
  'onModelChange',
];

/** A recipe but for the order of its keys; that of inputs and outputs counts: the first is the main one. */
function inAnyOrder(recipe: { readonly inputs?: object; readonly outputs?: object }): string {
  const { inputs = {}, outputs = {} } = recipe;
  return canonicalJson([recipe, Object.keys(inputs), Object.keys(outputs)]);
}

/** Whether two recipes differ in nothing but the order of their keys: a recipe that is read again may have another. */
export function differsInOrder(before: string, now: string): boolean {
  try {
    const [one, other] = [before, now].map((text) => inAnyOrder(parse(text) as object));
    return one === other;
  } catch {
    return false;
  }
}

/**
 * Whether two recipes differ, and in nothing but what a run may go on with: how fast, and for how much, a hosted teacher may be
 * asked, what the student may take where it will run, and whether it is compared with a baseline.
 */
export function differsInChangeable(before: string, now: string): boolean {
  try {
    const [written, other] = [before, now].map((text) => parse(text) as Compared) as [Compared, Compared];
    // A baseline that there was none of is trained now.
    const one = written.baseline === false ? { ...written, baseline: other.baseline } : written;
    return (
      inAnyOrder(written) !== inAnyOrder(other) &&
      inAnyOrder(withoutChangeable(one)) === inAnyOrder(withoutChangeable(other))
    );
  } catch {
    return false;
  }
}

/** The part of a recipe that says whether there is a baseline. */
interface Compared {
  readonly inputs?: object;
  readonly outputs?: object;
  readonly teacher?: Record<string, unknown>;
  readonly export?: Record<string, unknown>;
  readonly baseline?: false | object;
}

/**
 * A recipe that wants no baseline, with that of the run's folder: as with `--no-baseline`, what was trained once stays of the run, with
 * the sizes that it has.
 */
export function withBaselineOf(before: string, now: string): string {
  try {
    const [written, wanted] = [before, now].map((text) => parse(text) as Compared) as [Compared, Compared];
    if (wanted.baseline !== false || typeof written.baseline !== 'object') return now;
    return stringifyRecipe({ ...wanted, baseline: written.baseline } as Recipe);
  } catch {
    return now;
  }
}

function withoutChangeable(recipe: {
  readonly teacher?: Record<string, unknown>;
  readonly export?: Record<string, unknown>;
}): object {
  const { teacher, export: exported } = recipe;
  const without = (part: Record<string, unknown> | undefined, keys: readonly string[]) =>
    part && Object.fromEntries(Object.entries(part).filter(([key]) => !keys.includes(key)));
  return {
    ...recipe,
    teacher: teacher?.kind === 'chat' ? without(teacher, SPENDING_KEYS) : teacher,
    export: without(exported, ['gate']),
  };
}
