import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../src/engine/node.ts';
import { parseRecipe } from '../src/index.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { calibratedInt8 } from '../src/run/measuring/int8.ts';
import { measureGraph } from '../src/run/measuring/measure-graph.ts';
import { fedAs } from '../src/run/measuring/open-classifier.ts';
import { openTask } from '../src/run/tasks/index.ts';
import { trainedRecipe } from './trained-recipe.ts';

/** How int8 weights are kept. */
export interface QatForm {
  readonly weightBits: number;
  readonly weightScales: 'channel' | 'tensor';
}

/** What may be chosen. */
const FORMS: readonly QatForm[] = [8, 6, 4].flatMap((weightBits) =>
  (['channel', 'tensor'] as const).map((weightScales) => ({ weightBits, weightScales })),
);
/** Not among those that are measured. */
const SEED = 4;

/**
 * The form in which int8 loses most when the training knew nothing of it, which is what a training with its roundings is for: by what
 * each loses on the validation split of a seed that is not measured. The test split decides nothing.
 */
export async function chosenForm(
  log: (line: string) => void,
): Promise<{ readonly form: QatForm; readonly losses: readonly { form: QatForm; lost: number }[] }> {
  const overrides = [`seed=${SEED}`, 'compress=null', 'export.int8=false'];
  const out = fileURLToPath(new URL(`../runs/proof/qat-form-seed-${SEED}`, import.meta.url));
  await trainedRecipe({ recipe: 'fashion-qat', overrides, out, log });
  const file = fileURLToPath(new URL('../recipes/fashion-qat.yaml', import.meta.url));
  const recipe = parseRecipe(readFileSync(file, 'utf8'), { file, overrides });
  const task = await openTask({ recipe, options: { out } });
  const data = await task.prepareData({});
  try {
    const run = { engine: createNodeEngine(), checkInterrupted: () => {} };
    const { validation } = data.dataset.splits;
    const model = fedAs(data, readModelFile(`${out}/student/onnx/model.onnx`));
    const { accuracy } = await measureGraph(run, model, validation);
    const losses: { form: QatForm; lost: number }[] = [];
    for (const form of FORMS) {
      const quantize = await calibratedInt8({ engine: run.engine, model, data, seed: SEED, weights: form });
      const lost = accuracy - (await measureGraph(run, quantize(), validation)).accuracy;
      log(
        `qat form: ${form.weightBits} bits, a scale for each ${form.weightScales}: ${(100 * lost).toFixed(1)} points`,
      );
      losses.push({ form, lost });
    }
    const [worst] = losses.toSorted((a, b) => b.lost - a.lost) as [(typeof losses)[0]];
    return { form: worst.form, losses };
  } finally {
    data.dataset.close();
  }
}
