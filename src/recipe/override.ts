import { isCollection, isMap, isScalar, parse, YAMLMap, YAMLSeq } from 'yaml';
import { keySteps, keyText } from './key-path.ts';
import { RecipeError } from './problems.ts';
import type { RecipeDocument } from './yaml-document.ts';
import { yamlWords } from './yaml-words.ts';

type Steps = readonly (string | number)[];

/**
 * Sets one `key.path=value` in a recipe's document and returns its key path. Sections and lists on the way that are not there, or are
 * switched off (`compress: false`), are made; a term of an objective that is a list is found by its kind.
 *
 * @throws RecipeError for a path that the document cannot have, with the form that it has there
 */
export function applyOverride({ document }: RecipeDocument, override: string): string {
  const split = override.indexOf('=');
  const given = override.slice(0, Math.max(0, split));
  const path = keySteps(given);
  const fail = (message: string) =>
    new RecipeError([{ kind: 'syntax', path: '', message, origin: `--set ${override}` }]);
  if (!path) throw fail('expected key.path=value, for example training.epochs=3');
  let node: unknown = document.contents;
  if (!isMap(node)) throw fail('the recipe is not a section of keys');
  const taken: (string | number)[] = [];
  for (const [i, step] of path.entries()) {
    const found = placeIn(node as YAMLMap | YAMLSeq, step, taken, given);
    if (typeof found === 'object') throw fail(found.problem);
    taken.push(found);
    if (i === path.length - 1) break;
    const child: unknown = (node as YAMLMap | YAMLSeq).get(found, true);
    if (isCollection(child)) {
      node = child;
      continue;
    }
    const value: unknown = isScalar(child) ? child.value : child;
    if (value !== undefined && value !== null && value !== false)
      throw fail(`${keyText(taken)} is a value in the recipe, not a section: nothing is set in it`);
    const made = typeof path[i + 1] === 'number' ? new YAMLSeq() : new YAMLMap();
    (node as YAMLMap | YAMLSeq).set(found, made);
    node = made;
  }
  try {
    const value: unknown = parse(override.slice(split + 1), { schema: 'core', maxAliasCount: 0 });
    (node as YAMLMap | YAMLSeq).set(taken.at(-1), document.createNode(value));
  } catch (error) {
    const { code = '', message } = error as Error & { readonly code?: string };
    const words =
      error instanceof ReferenceError ? 'it has a name that stands for another value (*name)' : '';
    throw fail(`cannot be set: ${words || yamlWords(code, message.split('\n')[0] as string)}`);
  }
  return keyText(taken);
}

/** Where a section or a list has a step of a path, or what is wrong with asking it for one. */
function placeIn(
  node: YAMLMap | YAMLSeq,
  step: string | number,
  before: Steps,
  given: string,
): string | number | { readonly problem: string } {
  const where = keyText(before);
  if (isMap(node)) {
    // `0` after a dot may be a key.
    if (typeof step !== 'number' || !given.startsWith(`${where}[${step}]`)) return String(step);
    return {
      problem: `${where} is a section of keys in the recipe, not a list: name a key of it (${where}.KEY)`,
    };
  }
  const { length } = node.items;
  if (typeof step === 'number') {
    if (step <= length) return step;
    if (length === 0) return { problem: `the recipe has no ${where}: its first entry is ${where}[0]` };
    const has = `${where} has ${length} ${length === 1 ? 'entry' : 'entries'}`;
    return { problem: `${has}: the next is ${where}[${length}]` };
  }
  const kinds = node.items.map((item) => (isMap(item) ? item.get('kind') : undefined));
  const same = kinds.flatMap((kind, i) => (kind === step ? [i] : []));
  if (same.length === 1) return same[0] as number;
  const entries = kinds.map((kind, i) => `${where}[${i}]${typeof kind === 'string' ? ` (${kind})` : ''}`);
  const which =
    same.length > 1
      ? `${same.length} of its entries are of the kind '${step}'`
      : `its entries are named by their places`;
  return {
    problem: `${where} is a list in the recipe, and ${which}: ${entries.join(', ') || `${where}[0]`}`,
  };
}
