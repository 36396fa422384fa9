import type { Graph } from '../onnx/graph.ts';

/** What one layer loses in int8. */
export interface LayerSensitivity {
  /** The layer's name. */
  readonly layer: string;
  /** The score with it in int8 (`alone`), or with it in float32 and all others in int8 (`all-but-one`). */
  readonly score: number;
  /** How much of the score the layer's int8 costs; higher is worse, below 0 is a gain (noise, mostly). */
  readonly loss: number;
}

export interface SensitivityOptions {
  /** Names of the layers to measure. */
  layers: readonly string[];
  /** The graph with all of `layers` in int8 but for `exclude`, as `quantizeStatic` makes it. */
  quantize: (exclude: readonly string[]) => Graph;
  /** How good a graph is; higher is better: accuracy, agreement, or a negative KL divergence. */
  evaluate: (graph: Graph) => Promise<number>;
  /** The score to compare with: of the float32 graph (`alone`) or of the whole int8 graph (`all-but-one`). */
  reference: number;
  /**
   * `alone`: one layer in int8 at a time, the plain reading. `all-but-one`: one layer in float32 at a time, which
   * sees how errors meet.
   */
  mode?: 'alone' | 'all-but-one';
  /** Called after each layer. */
  onLayer?: (sensitivity: LayerSensitivity) => void;
}

/** Measures every layer, the most sensitive first; of equal ones, the earlier first. One evaluation per layer. */
export async function measureSensitivity(options: SensitivityOptions): Promise<LayerSensitivity[]> {
  const { layers, quantize, evaluate, reference, mode = 'alone', onLayer } = options;
  const measured: LayerSensitivity[] = [];
  for (const layer of layers) {
    const exclude = mode === 'alone' ? layers.filter((other) => other !== layer) : [layer];
    const score = await evaluate(quantize(exclude));
    const sensitivity = { layer, score, loss: mode === 'alone' ? reference - score : score - reference };
    measured.push(sensitivity);
    onLayer?.(sensitivity);
  }
  // A NaN score (int8 broke the model) is the worst of all.
  const rank = ({ loss }: LayerSensitivity) => (Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss);
  return measured.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}
