import type { Graph, Value } from '../onnx/graph.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { Int8Weights } from './int8-weights.ts';
import type { QuantizableLayer } from './quantizable-layers.ts';
import { chosenLayers, type QuantizeOptions, rewriteLayers } from './quantize-static.ts';
import { weightForm } from './weight-form.ts';

export interface QuantizeDynamicOptions extends QuantizeOptions {
  /**
   * `fused`: com.microsoft::DynamicQuantizeMatMul, in ONNX Runtime everywhere. `standard`: DynamicQuantizeLinear,
   * MatMulInteger, Cast, Mul: standard ONNX. `fused` by default.
   */
  formulation?: 'fused' | 'standard';
}

/**
 * The graph with int8 weights, activations being quantised by the range that each run finds in them: no
 * calibration. That range is of the whole batch, padding included, so a text's result depends a little on the
 * texts beside it; labels that are kept want `quantizeStatic`.
 *
 * @throws LimbeckError as `quantizeStatic`, but for calibration.
 */
export function quantizeDynamic(graph: Graph, options: QuantizeDynamicOptions = {}): Graph {
  const rewriter = new GraphRewriter(graph);
  const weights = new Int8Weights(graph, rewriter, weightForm(options), chosenLayers(graph, options.exclude));
  const activations = new Map<Value, Value[]>();
  const emit = (layer: QuantizableLayer): boolean => {
    // Convolutions have no int8 form with ranges found while running that ONNX Runtime computes in int8.
    if (layer.kind === 'convolution') return false;
    if (layer.kind === 'embedding') {
      weights.emitEmbedding(layer, options.tableScales ?? 'row');
      return true;
    }
    const { weight, scales, bias } = weights.linear(layer);
    const { input, output } = layer;
    if (options.formulation !== 'standard') {
      const inputs = [input, weight, scales, null, bias];
      rewriter.emit('DynamicQuantizeMatMul', inputs, output, {}, 'com.microsoft');
      return true;
    }
    let quantised = activations.get(input);
    if (!quantised) {
      quantised = rewriter.emitAll(
        'DynamicQuantizeLinear',
        [input],
        [
          { name: `${input.name}_uint8`, type: 'uint8', shape: input.shape },
          { name: `${input.name}_scale`, type: 'float32', shape: [] },
          { name: `${input.name}_zero`, type: 'uint8', shape: [] },
        ],
      );
      activations.set(input, quantised);
    }
    const [levels, scale, zeroPoint] = quantised;
    const { name, shape } = output;
    const float = (stem: string) => ({ name: `${name}_${stem}`, type: 'float32' as const, shape });
    const sums = rewriter.emit('MatMulInteger', [levels, weight, zeroPoint], {
      name: `${name}_int32`,
      type: 'int32',
      shape,
    });
    const whole = rewriter.emit('Cast', [sums], float('sums'), { to: 1 });
    const factor = rewriter.emit('Mul', [scale, scales], {
      name: `${name}_factor`,
      type: 'float32',
      shape: scales.shape,
    });
    if (!bias) rewriter.emit('Mul', [whole, factor], output);
    else rewriter.emit('Add', [rewriter.emit('Mul', [whole, factor], float('scaled')), bias], output);
    return true;
  };
  return rewriteLayers(graph, rewriter, options, { layer: emit });
}
