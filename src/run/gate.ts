import { measureSensitivity } from '../compress/layer-sensitivity.ts';
import { quantizableLayers } from '../compress/quantizable-layers.ts';
import { readModelFile } from '../onnx/node-files.ts';
import type { Gate, ModelResult } from '../report/result.ts';
import { calibratedInt8 } from './int8.ts';
import { measureGraph } from './measure-graph.ts';
import type { RunContext } from './run-context.ts';
import type { Shipped } from './stages/export.ts';
import type { TaskData } from './tasks/task.ts';

/** So many layers are named, the worst ones. */
const NAMED_LAYERS = 5;

/**
 * What the int8 student lost on the test split, against what the recipe allows; null without one. Where it lost more,
 * the layers are measured on the validation split, so that the person knows which ones it was.
 */
export async function int8Gate(
  run: RunContext,
  data: TaskData,
  shipped: Pick<Shipped, 'student' | 'float32Layers'>,
  measured: { readonly student: ModelResult; readonly studentInt8: ModelResult | null },
): Promise<Gate | null> {
  const { student, studentInt8 } = measured;
  if (!studentInt8 || !run.recipe.export.int8) return null;
  const { maxDrop } = run.recipe.export.int8;
  const drop = student.accuracy - studentInt8.accuracy;
  if (drop <= maxDrop) return { maxDrop, drop, passed: true };
  return { maxDrop, drop, passed: false, layers: await worstLayers(run, data, shipped) };
}

/**
 * The layers whose int8, each alone, raises the cross-entropy most. Of a small validation split the accuracy is too
 * coarse for this: of most layers it would say 0.
 */
async function worstLayers(
  run: RunContext,
  data: TaskData,
  { student, float32Layers }: Pick<Shipped, 'student' | 'float32Layers'>,
): Promise<NonNullable<Gate['layers']>> {
  const { engine, recipe, checkInterrupted } = run;
  const { validation } = data.dataset.splits;
  const model = readModelFile(student);
  const quantize = await calibratedInt8({ engine, model, data, seed: recipe.seed, checkInterrupted });
  const layers = quantizableLayers(model)
    .map(({ name }) => name)
    .filter((name) => !float32Layers.includes(name));
  let done = 0;
  const sensitivities = await measureSensitivity({
    layers,
    quantize: (exclude) => quantize([...float32Layers, ...exclude]),
    evaluate: async (graph) => -(await measureGraph(run, graph, data.inputs, validation)).crossEntropy,
    reference: -(await measureGraph(run, model, data.inputs, validation)).crossEntropy,
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
