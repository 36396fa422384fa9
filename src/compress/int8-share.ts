import type { Graph } from '../onnx/graph.ts';
import { multiplicationsOf } from './multiplications.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { subPixelConvolutions } from './sub-pixel-convolutions.ts';

/**
 * The share of a float32 graph's multiplications that run in int8 once `quantizeStatic` has quantised all layers but the
 * excluded ones, 0 to 1, transposed convolutions in the form that `subPixelConvolutions` gives them: of products of matrices and convolutions, which are nearly all multiplications of a network.
 * Undefined where the graph's shapes are not known.
 */
export function int8Share(graph: Graph, excluded: readonly string[] = []): number | undefined {
  const form = subPixelConvolutions(graph);
  const quantised = new Set(
    quantizableLayers(form)
      .filter(({ kind, name }) => kind !== 'embedding' && !excluded.includes(name))
      .map(({ node }) => node),
  );
  let [all, int8] = [0, 0];
  for (const node of form.nodes) {
    const count = multiplicationsOf(node);
    if (count === undefined) return undefined;
    all += count;
    if (quantised.has(node)) int8 += count;
  }
  return all === 0 ? undefined : int8 / all;
}
