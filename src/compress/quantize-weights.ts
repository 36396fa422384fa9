import type { Graph } from '../onnx/graph.ts';
import { type FourBitForm, FourBitWeights } from './four-bit-weights.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { rewriteLayers } from './quantize-static.ts';

export interface QuantizeWeightsOptions extends FourBitForm {
  /** Names of layers (see `quantizableLayers`) that stay in float32. */
  readonly exclude?: readonly string[];
  /** Scales of blocks that a training has found, by the name of the weights. */
  readonly trained?: ReadonlyMap<string, Float32Array> | undefined;
}

/**
 * The graph with weights of 4 bits (products, embedding tables, convolutions) and activations in float32. It needs no
 * calibration, and a row's answer does not depend on its batch. It is for the size of the file: none of its forms is faster than
 * float32 (docs/compress.md).
 *
 * @throws LimbeckError `export.weights` for weights that are not finite, `export.layer` for an excluded name that is no layer,
 *   `export.opset` below opset 13
 */
export function quantizeWeights(graph: Graph, { exclude, trained, ...form }: QuantizeWeightsOptions): Graph {
  const rewriter = new GraphRewriter(graph);
  const weights = new FourBitWeights(graph, rewriter, form, trained);
  return rewriteLayers(graph, rewriter, exclude ? { exclude } : {}, {
    layer: (layer) => weights.layer(layer),
  });
}
