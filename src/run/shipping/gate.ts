import { measureSensitivity } from '../../compress/layer-sensitivity.ts';
import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import { subPixelConvolutions } from '../../compress/sub-pixel-convolutions.ts';
import { type FurtherPrecision, PRECISIONS } from '../../export/precisions.ts';
import { type Difference, dropVerdict, exceeds } from '../../metrics/interval.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { unclearGate } from '../../report/gate-sentences.ts';
import type { Gate } from '../../report/result.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { mainMetric } from '../heads/head-metrics.ts';
import { fedAs } from '../measuring/open-classifier.ts';
import { fineScore } from './compared-forms.ts';
import { quantizerOf } from './quantizer.ts';
import { networkFile, type Shipped } from './shipped.ts';

/** So many layers are named, the worst ones. */
const NAMED_LAYERS = 5;

/** A smaller file of the student, which a gate is about. */
export interface GatedFile {
  readonly precision: 'int8' | FurtherPrecision;
  readonly maxDrop: number;
  /** Layers that stayed in float32. */
  readonly float32Layers: readonly string[];
  /** Layers of an int8 file whose weights have 4 bits. */
  readonly fourBitLayers?: readonly string[];
}

/**
 * What a smaller file of the student lost on the test split, against what the recipe allows. The gate shuts when the loss is more than
 * allowed by its whole 95 % interval: fewer samples than that takes cannot shut it, and the run warns that they cannot
 * vouch for it either. Then the layers are measured on the validation split, so that the person knows which ones it was.
 */
export async function gateOf(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'exits'>,
  file: GatedFile,
  drop: Difference,
): Promise<Gate> {
  const { maxDrop, precision } = file;
  const samples = data.dataset.splits.test.size;
  const { low, high } = drop;
  const verdict = dropVerdict(drop, maxDrop);
  const passed = verdict !== 'beyond';
  const isKnown = Number.isFinite(low) && Number.isFinite(high);
  const interval = isKnown ? { interval: { low, high } } : {};
  const gate: Gate = { maxDrop, drop: drop.difference, ...interval, verdict, samples, passed };
  if (!passed) return { ...gate, layers: await worstLayers(run, data, shipped, file) };
  if (exceeds(drop.difference, maxDrop)) run.warn(unclearGate(gate, mainMetric(data.heads), precision));
  return gate;
}

/**
 * The layers that, each alone in the file's precision, raise the cross-entropy most. Of a small validation split the accuracy is too
 * coarse for this: of most layers it would say 0.
 */
export async function worstLayers(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'exits'>,
  {
    precision,
    float32Layers,
    fourBitLayers = [],
  }: Pick<GatedFile, 'precision' | 'float32Layers' | 'fourBitLayers'>,
): Promise<NonNullable<Gate['layers']>> {
  const float = fedAs(data, readModelFile(networkFile(shipped)));
  const model = precision === 'int8' ? subPixelConvolutions(float) : float;
  const quantize = await quantizerOf(run, data, model, precision);
  const layers = quantizableLayers(model)
    .map(({ name }) => name)
    .filter((name) => !float32Layers.includes(name));
  let done = 0;
  const evaluate = await fineScore(run, data, model);
  const sensitivities = await measureSensitivity({
    layers,
    quantize: (exclude) => quantize([...float32Layers, ...exclude], fourBitLayers),
    evaluate,
    reference: await evaluate(model),
    onLayer: () =>
      run.emit({
        type: 'progress',
        stage: 'evaluate',
        task: `measuring the layers in ${PRECISIONS[precision].title}`,
        done: ++done,
        total: layers.length,
        unit: 'layers',
      }),
  });
  return sensitivities.slice(0, NAMED_LAYERS).map(({ layer, loss }) => ({ layer, loss }));
}
