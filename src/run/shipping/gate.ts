import { measureSensitivity } from '../../compress/layer-sensitivity.ts';
import { quantizableLayers } from '../../compress/quantizable-layers.ts';
import { type Difference, dropVerdict, exceeds } from '../../metrics/interval.ts';
import type { Graph } from '../../onnx/graph.ts';
import { readModelFile } from '../../onnx/node-files.ts';
import { unclearGate } from '../../report/gate-sentences.ts';
import type { Gate } from '../../report/result.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { isOneClass, mainMetric } from '../heads/head-metrics.ts';
import { measureHeads, scoreOf } from '../heads/measure-heads.ts';
import { studentInt8 } from '../measuring/int8.ts';
import { measureGraph } from '../measuring/measure-graph.ts';
import { fedAs } from '../measuring/open-classifier.ts';
import { networkFile, type Shipped } from './shipped.ts';

/** So many layers are named, the worst ones. */
const NAMED_LAYERS = 5;

/**
 * What the int8 student lost on the test split, against what the recipe allows. The gate shuts when the loss is more than
 * allowed by its whole 95 % interval: fewer samples than that takes cannot shut it, and the run warns that they cannot
 * vouch for it either. Then the layers are measured on the validation split, so that the person knows which ones it was.
 */
export async function int8Gate(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'float32Layers' | 'exits'>,
  { drop, samples }: { readonly drop: Difference; readonly samples: number },
): Promise<Gate> {
  const { maxDrop } = run.recipe.export.int8 as { maxDrop: number };
  const { low, high } = drop;
  const verdict = dropVerdict(drop, maxDrop);
  const passed = verdict !== 'beyond';
  const isKnown = Number.isFinite(low) && Number.isFinite(high);
  const interval = isKnown ? { interval: { low, high } } : {};
  const gate: Gate = { maxDrop, drop: drop.difference, ...interval, verdict, samples, passed };
  if (!passed) return { ...gate, layers: await worstLayers(run, data, shipped) };
  if (exceeds(drop.difference, maxDrop)) run.warn(unclearGate(gate, mainMetric(data.heads)));
  return gate;
}

/**
 * The layers whose int8, each alone, raises the cross-entropy most. Of a small validation split the accuracy is too
 * coarse for this: of most layers it would say 0.
 */
export async function worstLayers(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'float32Layers' | 'exits'>,
): Promise<NonNullable<Gate['layers']>> {
  const { float32Layers } = shipped;
  const { validation } = data.dataset.splits;
  const model = fedAs(data, readModelFile(networkFile(shipped)));
  const quantize = await studentInt8(run, data, model);
  const layers = quantizableLayers(model)
    .map(({ name }) => name)
    .filter((name) => !float32Layers.includes(name));
  let done = 0;
  const reference = isOneClass(data.heads)
    ? undefined
    : (await measureHeads(run, model, data.heads, validation)).main;
  const evaluate = async (graph: Graph): Promise<number> => {
    if (reference === undefined) return -(await measureGraph(run, graph, validation)).crossEntropy;
    return scoreOf(
      mainMetric(data.heads),
      (await measureHeads(run, graph, data.heads, validation)).main,
      reference,
    );
  };
  const sensitivities = await measureSensitivity({
    layers,
    quantize: (exclude) => quantize([...float32Layers, ...exclude]),
    evaluate,
    reference: await evaluate(model),
    onLayer: () =>
      run.emit({
        type: 'progress',
        stage: 'evaluate',
        task: 'measuring the layers in int8',
        done: ++done,
        total: layers.length,
        unit: 'layers',
      }),
  });
  return sensitivities.slice(0, NAMED_LAYERS).map(({ layer, loss }) => ({ layer, loss }));
}
