import type { Graph } from '../onnx/graph.ts';
import type { FourBitForm } from './blockwise.ts';
import { FourBitWeights, scalesOfBlocks } from './four-bit-weights.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { withoutQuantization } from './kept-quantization.ts';
import { rewriteLayers } from './quantize-static.ts';

export interface QuantizeWeightsOptions extends FourBitForm {
  /** Names of layers (see `quantizableLayers`) that stay in float32. */
  readonly exclude?: readonly string[];
}

/**
 * The graph with weights of 4 bits (products, embedding tables, convolutions) and activations in float32. It needs no
 * calibration, and a row's answer does not depend on its batch. It is for the size of the file: none of its forms is faster than
 * float32 (docs/compress.md). Of a graph that was trained with the roundings of this form, scales are those of its training.
 *
 * @throws LimbeckError `export.weights` for weights that are not finite, `export.layer` for an excluded name that is no layer,
 *   `export.opset` below opset 13
 */
export function quantizeWeights(graph: Graph, { exclude, ...form }: QuantizeWeightsOptions): Graph {
  const rewriter = new GraphRewriter(graph);
  const weights = new FourBitWeights(graph, rewriter, form, scalesOfBlocks(graph, form));
  const rewritten = rewriteLayers(graph, rewriter, exclude ? { exclude } : {}, {
    layer: (layer) => weights.layer(layer),
  });
  return withoutQuantization(rewritten);
}
