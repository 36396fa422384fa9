import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ContinualResult, continual, parseRecipe } from '../src/index.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, percents, spreadOf } from './statistics.ts';

const SHARE = 0.35;

/** Lifelong learning: recipes/fashion-continual.yaml as it is. */
export const continualTasks: Proof = {
  name: 'continual',
  title: 'Fashion-MNIST, five tasks one after another',
  async run(log) {
    const runs: ContinualResult[] = [];
    for (const seed of SEEDS) runs.push(await continualRecipe(seed, log));
    const methods = runs[0]!.methods.map(({ method }) => method);
    const of = (method: string) => runs.map((run) => run.methods.find((one) => one.method === method)!);
    const rows = methods.map((method) => {
      const measured = of(method);
      const share = measured.flatMap(({ forgettingOfNaive }) => forgettingOfNaive ?? []);
      const isJoint = method === 'joint';
      return [
        method,
        percents(measured.map(({ accuracy }) => accuracy)),
        isJoint ? '' : percents(measured.map(({ forgetting }) => forgetting)),
        isJoint ? '' : percents(measured.map(({ backwardTransfer }) => backwardTransfer)),
        share.length > 0 ? percents(share) : '',
      ];
    });
    const head = ['method', 'accuracy', 'forgetting', 'backward transfer', "of naive's forgetting"];
    const share = (method: string) => of(method).map(({ forgettingOfNaive }) => forgettingOfNaive ?? 1);
    const [run] = runs as [ContinualResult];
    const samples = run.tasks.reduce((sum, { train }) => sum + train, 0);
    return {
      table: markdownTable([head, ...rows]),
      text: `In percent and points, on the test split after the last task; mean and spread over ${SEEDS.length} seeds. ${run.tasks.length} tasks of ${run.tasks[0]!.classes.length} classes, ${samples} labelled images in all, ${run.setting}: an answer is sought among all classes taught so far. The settings of replay were chosen by the validation split of seed 1; those of \`self\` and \`ewc\` were not tuned. [continual.md](continual.md) says what the methods do.`,
      claims: ['replay', 'all'].map((method) => ({
        text: `forgetting of \`${method}\` is at most ${100 * SHARE} % of naive fine-tuning's (${percents(share(method))} %)`,
        holds: spreadOf(share(method)).mean <= SHARE,
      })),
    };
  },
};

async function continualRecipe(seed: number, log: (line: string) => void): Promise<ContinualResult> {
  const file = fileURLToPath(new URL('../recipes/fashion-continual.yaml', import.meta.url));
  const recipe = parseRecipe(readFileSync(file, 'utf8'), { file, overrides: [`seed=${seed}`] });
  return continual(recipe, {
    out: fileURLToPath(new URL(`../runs/proof/continual-seed-${seed}`, import.meta.url)),
    storeFolder: fileURLToPath(new URL('../runs/proof/.store', import.meta.url)),
    recipeFolder: fileURLToPath(new URL('../recipes', import.meta.url)),
    command: `npx limbeck continual recipes/fashion-continual.yaml --seed ${seed}`,
    onEvent: (event) => {
      if (event.type === 'stage-end')
        log(`continual seed ${seed}: ${event.stage} ${event.seconds.toFixed(0)} s, ${event.summary}`);
    },
  });
}
