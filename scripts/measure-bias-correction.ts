import { readFileSync } from 'node:fs';
import { createNodeEngine } from '../src/engine/node.ts';
import { parseRecipe } from '../src/index.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { int8Forms } from '../src/run/measuring/int8.ts';
import { measureGraph } from '../src/run/measuring/measure-graph.ts';
import { fedAs } from '../src/run/measuring/open-classifier.ts';
import { openTask } from '../src/run/tasks/index.ts';
import { endWith, scriptArguments } from './script-arguments.ts';

// What correcting biases does for the int8 file of a finished run's student, by how its weights are quantised: docs/compress.md.
// npx tsx scripts/measure-bias-correction.ts runs/NAME...

const { positionals: runs } = scriptArguments(import.meta.url, { allowPositionals: true });
if (runs.length === 0) endWith(import.meta.url, 'name the folder of a run');

const FORMS = [8, 6, 4].flatMap((weightBits) =>
  (['channel', 'tensor'] as const).map((weightScales) => ({ weightBits, weightScales })),
);
const run = { engine: createNodeEngine(), checkInterrupted: () => {} };

console.log(
  '| student | weights | accuracy, float32 | int8 | corrected | cross-entropy on the validation split, float32 | int8 | corrected |',
);
console.log('|---|---|---:|---:|---:|---:|---:|---:|');
for (const out of runs) {
  const file = `${out}/recipe.resolved.yaml`;
  const recipe = parseRecipe(readFileSync(file, 'utf8'), { file });
  const task = await openTask({ recipe, options: { out } });
  const data = await task.prepareData({});
  try {
    const { validation, test } = data.dataset.splits;
    const model = fedAs(data, readModelFile(`${out}/student/onnx/model.onnx`));
    for (const weights of FORMS) {
      const { plain, corrected } = await int8Forms({ ...run, model, data, seed: recipe.seed, weights });
      const graphs = [model, plain(), ...(corrected ? [(await corrected())()] : [])];
      const accuracy: string[] = [];
      const entropy: string[] = [];
      for (const graph of graphs) {
        accuracy.push((100 * (await measureGraph(run, graph, test)).accuracy).toFixed(2));
        entropy.push((await measureGraph(run, graph, validation)).crossEntropy.toFixed(4));
      }
      const form = `${weights.weightBits} bits, a scale for each ${weights.weightScales}`;
      console.log(`| ${recipe.name} | ${form} | ${[...accuracy, ...entropy].join(' | ')} |`);
    }
  } finally {
    data.dataset.close();
  }
}
