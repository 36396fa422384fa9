import { distance } from 'fastest-levenshtein';
import { nearest } from '../nearest.ts';
import { keysOf, type SchemaNode } from './expectation.ts';

/** A key of the schema: its path, and the kind of the section it is in, where sections have kinds. */
interface KeyPlace {
  steps: readonly string[];
  kind: string | undefined;
}

/** What an unknown key was probably meant to be. */
export type KeyMeaning =
  /** Another key of the same section, or the full path of a key elsewhere. */
  | { suggestion: string }
  /** The key belongs to sections of these other kinds. */
  | { kinds: string[] };

/**
 * The most likely meaning of a key that its section does not have: by spelling within the section, by place elsewhere in
 * the recipe (`training.learningRate` is `training.optimizer.learningRate`), or as a key of another kind of section.
 * Undefined when nothing is near. Never the path that was typed.
 */
export function meaningOf(
  key: string,
  path: readonly PropertyKey[],
  section: SchemaNode | undefined,
  root: SchemaNode,
): KeyMeaning | undefined {
  const siblings = keysOf(section);
  const spelling = siblings.find((name) => plain(name) === plain(key) || distance(name, key) === 1);
  if (spelling) return { suggestion: spelling };

  const here = path.filter((step) => typeof step !== 'number').map(String);
  const places = placesOf(root).filter(({ steps }) => steps.length > 0);
  const sameName = places.filter(({ steps }) => plain(steps.at(-1) ?? '') === plain(key));
  const kinds = sameName.filter(({ steps }) => equal(steps.slice(0, -1), here)).map(({ kind }) => kind);
  const otherKinds = [...new Set(kinds.filter((kind) => kind !== undefined))];
  if (otherKinds.length > 0) return { kinds: otherKinds };

  const place = closest(sameName, here) ?? siblingOrMisspelt(key, siblings, places, here);
  return place === undefined ? undefined : { suggestion: place };
}

function siblingOrMisspelt(
  key: string,
  siblings: readonly string[],
  places: readonly KeyPlace[],
  here: readonly string[],
): string | undefined {
  const sibling = nearest(key, siblings);
  if (sibling) return sibling;
  // One slip in a long name; a short name is near to too many others.
  if (key.length < 5) return undefined;
  return closest(
    places.filter(({ steps }) => distance(plain(steps.at(-1) ?? ''), plain(key)) === 1),
    here,
  );
}

/** Sections about how texts are written: their keys are seldom what a key of the same name elsewhere was meant to be. */
const SELDOM = new Set(['written', 'onPolicy']);

/** The place with the fewest steps up and down from a section; among equals one of the student's training. */
function closest(places: readonly KeyPlace[], here: readonly string[]): string | undefined {
  const far = ({ steps }: KeyPlace) => {
    let shared = 0;
    while (shared < here.length && steps[shared] === here[shared]) shared++;
    const elsewhere = steps.slice(shared).some((step) => SELDOM.has(step)) ? 5 : 0;
    return here.length - shared + (steps.length - shared) + (steps[0] === 'training' ? 0 : 1.5) + elsewhere;
  };
  const [best] = places
    .filter(({ steps }) => !equal(steps.slice(0, -1), here))
    .sort((a, b) => far(a) - far(b));
  return best?.steps.join('.');
}

/** Every key of the schema outside lists. */
function placesOf(node: SchemaNode, steps: readonly string[] = [], kind?: string): KeyPlace[] {
  const branches = [node, ...((node.oneOf ?? node.anyOf ?? []) as SchemaNode[])];
  return branches.flatMap((branch) => {
    const declared = branch.properties?.kind;
    const ownKind = typeof declared === 'object' ? (declared.const as string | undefined) : undefined;
    return Object.entries(branch.properties ?? {}).flatMap(([name, child]) => {
      const inner = [...steps, name];
      const place = { steps: inner, kind: ownKind ?? kind };
      return [place, ...(typeof child === 'object' ? placesOf(child as SchemaNode, inner) : [])];
    });
  });
}

/** A name without the ways of writing it: `learning_rate`, `learning-rate` and `learningRate` are one. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i]);
}
