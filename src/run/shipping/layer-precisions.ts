import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import type { FourBitCost } from '../../compress/quantize-within-bytes.ts';
import type { QuantizedWithinDrop } from '../../compress/quantize-within-drop.ts';
import type { Precision } from '../../export/precisions.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { LayerPrecision } from '../../report/result.ts';

/**
 * The precision of each layer of a model in one of its forms, with what was measured of it. A layer whose node is still the model's
 * own is in float32.
 *
 * @param mixed layers with weights of 4 bits among those of the form, and what 4 bits cost
 */
export function layerPrecisions(
  model: Graph,
  { graph, sensitivities }: Pick<QuantizedWithinDrop, 'graph' | 'sensitivities'>,
  precision: Exclude<Precision, 'f32'>,
  mixed: { readonly fourBit: readonly string[]; readonly costs: readonly FourBitCost[] } = {
    fourBit: [],
    costs: [],
  },
): LayerPrecision[] {
  const own = new Set(graph.nodes);
  const losses = new Map(sensitivities.map(({ layer, loss }) => [layer, loss]));
  const costs = new Map(mixed.costs.map(({ layer, loss }) => [layer, loss]));
  return quantizableLayers(model).map(({ name, node }) => {
    const [drop, cost] = [losses.get(name), costs.get(name)];
    return {
      layer: name,
      precision: own.has(node) ? 'f32' : mixed.fourBit.includes(name) ? 'q4' : precision,
      // JSON has no NaN, which a layer that breaks the network loses.
      ...(drop !== undefined && { drop: Number.isFinite(drop) ? drop : null }),
      ...(cost !== undefined && { fourBitCost: Number.isFinite(cost) ? cost : null }),
    };
  });
}
