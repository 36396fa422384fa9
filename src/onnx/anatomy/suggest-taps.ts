import { namePattern } from '../name-pattern.ts';
import type { ModelAnatomy } from './anatomy.ts';
import type { DeclaredTaps } from './declared-taps.ts';

const NUMBER = /\d+/g;

/**
 * The layers that were found as taps to begin with: patterns where names differ by numbers alone and nothing else in the
 * model has such a name, the names themselves otherwise.
 *
 * @param names all names of values in the graph
 */
export function suggestTaps({ layers }: ModelAnatomy, names: readonly string[]): DeclaredTaps {
  const kinds = {
    attention: layers.flatMap(({ attention }) => attention?.probabilities ?? []),
    hidden: layers.flatMap(({ hidden }) => hidden?.name ?? []),
    features: layers.flatMap(({ features }) => features?.name ?? []),
  };
  const found = Object.entries(kinds).filter(([, list]) => list.length > 0);
  return Object.fromEntries(found.map(([kind, list]) => [kind, shortened(list, names)]));
}

/** Names that are alike but for numbers, as one pattern; in the order of the first of each. */
function shortened(list: readonly string[], names: readonly string[]): string[] {
  const alike = new Map<string, string[]>();
  for (const name of list) {
    const form = name.replace(NUMBER, '#');
    alike.set(form, [...(alike.get(form) ?? []), name]);
  }
  return [...alike.values()].flatMap((group) => {
    const pattern = patternOf(group);
    const isMeant = namePattern(pattern);
    const meant = new Set(group);
    return names.every((name) => meant.has(name) || !isMeant(name)) ? [pattern] : group;
  });
}

/** `*` in place of the numbers in which the names differ. */
function patternOf(group: readonly string[]): string {
  const numbers = group.map((name) => name.match(NUMBER) ?? []);
  let i = -1;
  return group[0]!.replace(NUMBER, (number) => {
    i += 1;
    return numbers.every((list) => list[i] === number) ? number : '*';
  });
}
