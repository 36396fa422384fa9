import { LimbeckError } from '../../errors.ts';
import { nearestNames } from '../../nearest.ts';
import type { Graph, Value } from '../graph.ts';
import { namePattern } from '../name-pattern.ts';
import { formatShape } from '../shape-inference/rule.ts';
import type { AttentionMap, ModelAnatomy, ModelLayer } from './anatomy.ts';
import { attentionSites } from './attention-sites.ts';
import { describeFeatureMaps } from './feature-maps.ts';
import { fusedAttention, UNFUSE_REMEDY } from './fused-attention.ts';
import { ModelPaths } from './model-paths.ts';

/** What a person says a model's layers are: names of values, or patterns of names in which `*` is anything. */
export interface DeclaredTaps {
  readonly attention?: readonly string[];
  readonly hidden?: readonly string[];
  readonly features?: readonly string[];
}

type Kind = keyof DeclaredTaps;

const FORMS: Readonly<Record<Kind, { readonly rank: number; readonly form: string }>> = {
  attention: { rank: 4, form: 'an attention map, float32 [batch, heads, queries, keys]' },
  hidden: { rank: 3, form: 'a hidden state, float32 [batch, sequence, width]' },
  features: { rank: 4, form: 'a feature map, float32 [batch, channels, height, width]' },
};
const KINDS: readonly Kind[] = ['attention', 'hidden', 'features'];

/**
 * An anatomy with the layers that a person declared in place of those that were found: one for each match, in graph order.
 * What a found layer has besides stays with it where the declared value is its own, or where there are as many.
 *
 * @param where the place in the recipe, `knowledge.taps.teacher`
 * @throws LimbeckError `recipe.tap` for a name or pattern that fits no value (with the nearest names), or values of another
 *   form; when kinds have different numbers of values
 */
export function withDeclaredTaps(
  graph: Graph,
  found: ModelAnatomy,
  taps: DeclaredTaps,
  where: string,
): ModelAnatomy {
  const declared = KINDS.filter((kind) => taps[kind]);
  if (declared.length === 0) return found;
  const paths = new ModelPaths(graph);
  const values = new Map(declared.map((kind) => [kind, matches(paths, kind, taps[kind]!, where)]));
  const counts = [...values].map(([kind, { length }]) => `${length} of ${kind}`);
  const lengths = new Set([...values.values()].map(({ length }) => length));
  const [count] = lengths;
  if (count === undefined || lengths.size > 1) {
    throw new LimbeckError('recipe.tap', `the taps do not make layers: ${counts.join(', ')}`, {
      where,
      remedy: 'Name as many values of each kind, one for each layer, or leave a kind out.',
    });
  }
  const parts = partsOf(paths, values);
  const layers = Array.from({ length: count }, (_, i): ModelLayer => {
    const own = Object.assign({}, ...parts.map((part) => part[i])) as Partial<ModelLayer>;
    const named = new Set([...values.values()].map((list) => list[i]!.name));
    const same =
      found.layers.find((layer) => valuesOf(layer).some((name) => named.has(name))) ??
      (found.layers.length === count ? found.layers[i] : undefined);
    return { ...same, ...own, name: own.name ?? same?.name ?? `layer_${i}` };
  });
  const family = values.has('features') ? 'convolutional' : 'transformer';
  return { ...found, family: found.family === 'other' ? family : found.family, layers: renamed(layers) };
}

/** What each kind gives to the layers, one after another. */
function partsOf(
  paths: ModelPaths,
  values: ReadonlyMap<Kind, readonly Value[]>,
): readonly (readonly Partial<ModelLayer>[])[] {
  const sites = values.has('attention') ? attentionSites(paths) : [];
  const known = new Map(sites.map(({ map }) => [map?.probabilities, map]));
  const parts: Readonly<Record<Kind, (list: readonly Value[]) => readonly Partial<ModelLayer>[]>> = {
    attention: (list) =>
      list.map((value) => {
        const map: AttentionMap = { probabilities: value.name, heads: paths.shapeOf(value)![1]! };
        return { attention: known.get(value.name) ?? map };
      }),
    hidden: (list) =>
      list.map((value) => ({ hidden: { name: value.name, width: paths.shapeOf(value)![2]! } })),
    features: (list) => describeFeatureMaps(paths, list),
  };
  return [...values].map(([kind, list]) => parts[kind](list));
}

/** Every value that a name or a pattern means, in graph order. */
function matches(paths: ModelPaths, kind: Kind, names: readonly string[], where: string): Value[] {
  const values = paths.nodes.flatMap(({ outputs }) =>
    outputs.filter((value): value is Value => value !== null),
  );
  const { rank } = FORMS[kind];
  const fits = (value: Value) => paths.isBatchOf(value, rank);
  const meant = new Set<Value>();
  for (const [i, name] of names.entries()) {
    const isMeant = namePattern(name);
    const matching = values.filter((value) => isMeant(value.name));
    const fitting = matching.filter(fits);
    if (fitting.length === 0)
      throw nothingFits(paths, kind, name, `${where}.${kind}[${i}]`, matching, values);
    for (const value of fitting) meant.add(value);
  }
  return values.filter((value) => meant.has(value));
}

function nothingFits(
  paths: ModelPaths,
  kind: Kind,
  name: string,
  where: string,
  matching: readonly Value[],
  values: readonly Value[],
): LimbeckError {
  const { rank, form } = FORMS[kind];
  const [first] = matching;
  if (first) {
    const told = `${first.type ?? 'float32'}${formatShape(paths.shapeOf(first) ?? first.shape ?? [])}`;
    return new LimbeckError('recipe.tap', `'${name}' is not ${form}`, {
      where: `${where}: '${first.name}' is ${told} for a batch of ${paths.batch}`,
      remedy: '`limbeck inspect MODEL --all` lists values with their shapes.',
    });
  }
  const fused = kind === 'attention' ? fusedAttention(paths.graph) : [];
  if (fused.length > 0) {
    return new LimbeckError(
      'recipe.tap',
      `the model has no value '${name}': its attention is inside ${fused[0]}`,
      {
        where,
        remedy: UNFUSE_REMEDY,
      },
    );
  }
  const possible = values.filter((value) => paths.isBatchOf(value, rank)).map((value) => value.name);
  const nearest = nearestNames(name.replaceAll('*', ''), possible);
  return new LimbeckError('recipe.tap', `the model has no value '${name}'`, {
    where: `${where}; ${nearest ? `the nearest names: ${nearest}` : `no value of it is ${form}`}`,
    remedy: '`limbeck inspect MODEL` lists what a model has to offer.',
  });
}

function valuesOf({ attention, hidden, features }: ModelLayer): string[] {
  return [attention?.probabilities, hidden?.name, features?.name].filter((name) => name !== undefined);
}

/** Layers whose names are not unique are counted anew. */
function renamed(layers: readonly ModelLayer[]): readonly ModelLayer[] {
  const unique = new Set(layers.map(({ name }) => name)).size === layers.length;
  return unique ? layers : layers.map((layer, i) => ({ ...layer, name: `layer_${i}` }));
}
