import { LimbeckError } from '../errors.ts';
import { exceeds } from '../metrics/interval.ts';
import type { Graph } from '../onnx/graph.ts';
import { type LayerSensitivity, measureSensitivity, type SensitivityOptions } from './layer-sensitivity.ts';

export interface WithinDropOptions extends Omit<SensitivityOptions, 'reference' | 'mode'> {
  /** The float32 graph's score, by the same `evaluate`. */
  reference: number;
  /** How far the score may fall: 0.01 for a point of accuracy. */
  maxDrop: number;
  /** How many layers may stay in float32; 0 makes this a gate only. All but one by default. */
  maxExcluded?: number;
  /**
   * Whether a graph that was scored loses more than `maxDrop` for certain, where scores are of few samples: what may be
   * chance is not refused. Without it, every drop above `maxDrop` is.
   */
  isBeyond?: (graph: Graph) => boolean;
  /** What tells the layers apart, where the score is too coarse for it or expensive; the score itself by default. */
  ranking?: Pick<SensitivityOptions, 'evaluate' | 'mode'>;
}

export interface QuantizedWithinDrop {
  readonly graph: Graph;
  readonly score: number;
  /** reference - score. */
  readonly drop: number;
  /** Layers left in float32, the most sensitive first. */
  readonly excluded: readonly string[];
  /** Every layer's loss, worst first; empty when all of int8 was within the drop at once. */
  readonly sensitivities: readonly LayerSensitivity[];
}

/**
 * An int8 graph whose score is within `maxDrop` of the float32 one: all layers in int8 when that is enough, else with
 * the layers that lose most kept in float32, one more at a time.
 *
 * @throws LimbeckError `export.int8-drop` when it cannot be had (beyond chance, see `isBeyond`), with the layers that lost
 * most.
 */
export async function quantizeWithinDrop(options: WithinDropOptions): Promise<QuantizedWithinDrop> {
  const { maxDrop, isBeyond = () => true } = options;
  const { whole, best } = await quantizeTowardsDrop(options);
  if (!exceeds(best.drop, maxDrop) || !isBeyond(best.graph)) return best;
  const { sensitivities } = best;
  const worst = sensitivities.slice(0, 5).map(({ layer, loss }) => `${layer} (${format(loss)})`);
  throw new LimbeckError(
    'export.int8-drop',
    `int8 loses ${format(whole.drop)}, more than the ${format(maxDrop)} allowed` +
      (best.excluded.length > 0 ? `; still ${format(best.drop)} with its worst layers in float32` : ''),
    {
      where: `layers that lose most: ${worst.join(', ')}`,
      remedy: 'Allow more with `export.int8.maxDrop`, or leave int8 out with `export.int8: false`.',
    },
  );
}

/** The same without the promise: `best` is within the drop or, where nothing was, the one that came nearest. */
export async function quantizeTowardsDrop(
  options: WithinDropOptions,
): Promise<{ readonly whole: QuantizedWithinDrop; readonly best: QuantizedWithinDrop }> {
  const { layers, quantize, evaluate, reference, maxDrop, ranking } = options;
  const maxExcluded = Math.min(options.maxExcluded ?? layers.length - 1, layers.length - 1);
  const attempt = async (excluded: readonly string[], sensitivities: readonly LayerSensitivity[]) => {
    const graph = quantize(excluded);
    const score = await evaluate(graph);
    return { graph, score, drop: reference - score, excluded, sensitivities };
  };
  const whole = await attempt([], []);
  if (!exceeds(whole.drop, maxDrop)) return { whole, best: whole };
  const sensitivities = await measureSensitivity(
    ranking?.mode === 'all-but-one'
      ? { ...options, ...ranking, reference: await ranking.evaluate(whole.graph) }
      : { ...options, ...ranking },
  );
  let best: QuantizedWithinDrop = { ...whole, sensitivities };
  for (let count = 1; count <= maxExcluded; count++) {
    const excluded = sensitivities.slice(0, count).map(({ layer }) => layer);
    const mixed = await attempt(excluded, sensitivities);
    if (!(best.drop <= mixed.drop)) best = mixed;
    if (!exceeds(mixed.drop, maxDrop)) break;
  }
  return { whole, best };
}

function format(value: number): string {
  return Number.isNaN(value) ? 'everything (NaN)' : value.toPrecision(3);
}
