import type { ByPrecision, FurtherPrecision } from '../../export/precisions.ts';
import type { Graph } from '../../onnx/graph.ts';
import { type WantedPrecision, wantedPrecisions } from '../../recipe/export.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { studentInt8 } from '../measuring/int8.ts';

/** Makes a network's graph in another precision, leaving some layers in float32. */
export type Quantizer = (exclude?: readonly string[]) => Graph;

/** What makes a student's network in one of the precisions that its recipe's export asks for. */
export async function quantizerOf(
  run: RunContext,
  data: TaskData,
  model: Graph,
  precision: 'int8' | FurtherPrecision,
): Promise<Quantizer> {
  if (precision === 'int8') return studentInt8(run, data, model);
  const wanted = wantedPrecisions(run.recipe.export).find((one) => one.precision === precision);
  if (!wanted) throw new Error(`the recipe asks for no ${precision}`);
  return furtherQuantizer(model, wanted);
}

/** A network in the further precisions that a recipe asks for, whole. */
export async function furtherForms(
  { export: exported }: Pick<Recipe, 'export'>,
  model: Graph,
): Promise<ByPrecision<Graph>> {
  const made: Partial<Record<FurtherPrecision, Graph>> = {};
  for (const wanted of wantedPrecisions(exported))
    made[wanted.precision] = (await furtherQuantizer(model, wanted))();
  return made;
}

async function furtherQuantizer(model: Graph, { form }: WantedPrecision): Promise<Quantizer> {
  // Loaded where it is used: pages do not pay for it.
  const { quantizeWeights } = await import('../../compress/quantize-weights.ts');
  return (exclude = []) => quantizeWeights(model, { ...form, exclude });
}
