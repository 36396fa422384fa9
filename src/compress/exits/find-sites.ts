import type { ModelLayer } from '../../onnx/anatomy/anatomy.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph } from '../../onnx/graph.ts';
import { cannotCompress } from '../transforms/cannot-compress.ts';
import type { TransformContext } from '../transforms/transform.ts';
import type { ExitOptions } from './exit-options.ts';

/** Where an exit can be: a layer, and the value that it gives. */
export interface ExitSite {
  /** The layer's name: `layer_0`, `stage_1/block_2`. */
  readonly layer: string;
  /** float32 [batch, sequence, width], or [batch, channels, height, width]. */
  readonly value: string;
}

/**
 * The layers that exits follow, found in the graph, in its order.
 *
 * @throws LimbeckError `compress.invalid` for a graph without a chain of layers, for a layer that there is not, and for the last
 */
export function findSites(
  graph: Graph,
  { after }: Pick<ExitOptions, 'after'>,
  context: Pick<TransformContext, 'where'>,
): ExitSite[] {
  if (typeof after === 'object' && after.length === 0) return [];
  const layers = describeModel(graph).layers.flatMap(siteOf);
  const inner = layers.slice(0, -1);
  const at = { where: `${context.where}.after` };
  if (inner.length === 0) {
    const found = layers[0]
      ? `only one layer was found in it, ${layers[0].layer}`
      : 'no layer was found in it';
    throw cannotCompress(
      context,
      `the student ${graph.name} has no chain of layers that exits could follow: ${found}`,
      'Take a student of several layers: text-attention or bert with layers: 2 or more, resnet, mobilenet-v3; or leave the exits out.',
    );
  }
  const names = inner.map(({ layer }, i) => `${i + 1} (${layer})`);
  const shown = names.length > 8 ? [...names.slice(0, 4), '...', ...names.slice(-2)] : names;
  const possible = `Exits can follow the layers ${shown.join(', ')}.`;
  if (typeof after === 'number') {
    if (after > inner.length) {
      const there = `${inner.length} ${inner.length === 1 ? 'layer' : 'layers'} before its last`;
      throw cannotCompress(at, `${after} exits are more than the student has layers for: ${there}`, possible);
    }
    return spread(inner, after);
  }
  const places = after.map((wanted) => {
    const place = typeof wanted === 'number' ? wanted - 1 : layers.findIndex(({ layer }) => layer === wanted);
    if (place >= 0 && place < inner.length) return place;
    const last = layers.length - 1;
    const problem =
      place === last
        ? `an exit after the last layer, ${layers[last]?.layer}, would be the student's own end`
        : `the student has no layer ${wanted}`;
    throw cannotCompress(at, problem, possible);
  });
  const ordered = [...new Set(places)].sort((a, b) => a - b);
  if (ordered.length < places.length) throw cannotCompress(at, 'a layer is named twice', possible);
  return ordered.map((place) => inner[place] as ExitSite);
}

function siteOf({ name, hidden, features }: ModelLayer): ExitSite[] {
  const value = hidden?.name ?? features?.name;
  return value === undefined ? [] : [{ layer: name, value }];
}

/** So many of the sites, evenly spaced between the beginning and the end of the network. */
function spread(sites: readonly ExitSite[], count: number): ExitSite[] {
  return Array.from({ length: count }, (_, i) => {
    const place = Math.round(((i + 1) * (sites.length + 1)) / (count + 1));
    return sites[place - 1] as ExitSite;
  });
}
