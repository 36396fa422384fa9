import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../src/engine/node.ts';
import { parseRecipe, train } from '../src/index.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { calibratedInt8 } from '../src/run/measuring/int8.ts';
import { measureGraph } from '../src/run/measuring/measure-graph.ts';
import { fedAs } from '../src/run/measuring/open-classifier.ts';
import { openTask } from '../src/run/tasks/index.ts';

/** How int8 weights are kept. */
export interface QatForm {
  readonly weightBits: number;
  readonly weightScales: 'channel' | 'tensor';
}

/** `weights of 4 bits with one scale for a layer`. */
export function formTitle({ weightBits, weightScales }: QatForm): string {
  return `weights of ${weightBits} bits with ${weightScales === 'tensor' ? 'one scale for a layer' : 'a scale for each channel'}`;
}

/** What may be chosen. */
const FORMS: readonly QatForm[] = [8, 6, 4].flatMap((weightBits) =>
  (['channel', 'tensor'] as const).map((weightScales) => ({ weightBits, weightScales })),
);
/** Not among those that are measured. */
export const FORM_SEED = 4;

/**
 * The form in which int8 loses most when the training knew nothing of it, which is what a training with its roundings is for: by what
 * each loses on the validation split of a seed that is not measured. The test split decides nothing.
 */
export async function chosenForm(
  log: (line: string) => void,
): Promise<{ readonly form: QatForm; readonly losses: readonly { form: QatForm; lost: number }[] }> {
  const file = fileURLToPath(new URL('../recipes/fashion-qat.yaml', import.meta.url));
  const text = readFileSync(file, 'utf8');
  const trained = parseRecipe(text, { file, overrides: [`seed=${FORM_SEED}`] });
  const { compress: _, ...uncompressed } = trained;
  const recipe = { ...uncompressed, export: { ...trained.export, int8: false as const } };
  const out = fileURLToPath(new URL(`../runs/proof/qat-form-seed-${FORM_SEED}`, import.meta.url));
  const { seconds } = await train(recipe, { out });
  log(`qat form: the student was trained in ${seconds.total.toFixed(0)} s`);
  const task = await openTask({ recipe, options: { out } });
  const data = await task.prepareData({});
  try {
    const run = { engine: createNodeEngine(), checkInterrupted: () => {} };
    const { validation } = data.dataset.splits;
    const model = fedAs(data, readModelFile(`${out}/student/onnx/model.onnx`));
    const { accuracy } = await measureGraph(run, model, validation);
    const losses: { form: QatForm; lost: number }[] = [];
    for (const form of FORMS) {
      const quantize = await calibratedInt8({
        engine: run.engine,
        model,
        data,
        seed: FORM_SEED,
        weights: form,
      });
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
