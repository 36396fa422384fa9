import type { ByPrecision, FurtherPrecision } from '../../export/precisions.ts';
import type { Graph } from '../../onnx/graph.ts';
import { type WantedPrecision, wantedPrecisions } from '../../recipe/export.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { type Calibration, calibrationFeeds } from '../measuring/int8.ts';
import { studentInt8 } from './student-int8.ts';

/** Makes a network's graph in another precision, leaving some layers in float32; of int8, others in 4 bits. */
export type Quantizer = (exclude?: readonly string[], fourBit?: readonly string[]) => Graph;

/** What makes a student's network in one of the precisions that its recipe's export asks for. */
export async function quantizerOf(
  run: RunContext,
  data: TaskData,
  model: Graph,
  precision: 'int8' | FurtherPrecision,
): Promise<Quantizer> {
  if (precision === 'int8') return (await studentInt8(run, data, model)).quantize;
  const wanted = wantedPrecisions(run.recipe.export).find((one) => one.precision === precision);
  if (!wanted) throw new Error(`the recipe asks for no ${precision}`);
  const { engine, recipe, checkInterrupted } = run;
  return furtherQuantizer(wanted, { engine, model, data, seed: recipe.seed, checkInterrupted });
}

/** A network in the further precisions that a recipe asks for, whole. */
export async function furtherForms(
  { export: exported }: Pick<Recipe, 'export'>,
  calibration: Calibration,
): Promise<ByPrecision<Graph>> {
  const made: Partial<Record<FurtherPrecision, Graph>> = {};
  for (const wanted of wantedPrecisions(exported))
    made[wanted.precision] = (await furtherQuantizer(wanted, calibration))();
  return made;
}

/** Code is loaded where it is used: pages do not pay for it. */
async function furtherQuantizer(wanted: WantedPrecision, calibration: Calibration): Promise<Quantizer> {
  const { engine, model } = calibration;
  if (wanted.precision === 'q4') {
    const { quantizeWeights } = await import('../../compress/quantize-weights.ts');
    return (exclude = []) => quantizeWeights(model, { ...wanted.form, exclude });
  }
  const { toHalfPrecision } = await import('../../compress/half-precision.ts');
  const { largestValues } = await import('../../compress/largest-values.ts');
  const largest = await largestValues(model, engine, calibrationFeeds(calibration));
  return (exclude = []) => toHalfPrecision(model, { largest, exclude });
}
