import * as ort from 'onnxruntime-web';
import type { Engine } from '../src/engine/engine.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import type { OrtModule } from '../src/engine/ort-session.ts';
import { createWebEngine } from '../src/engine/web.ts';
import { accuracyOf, type RunResult } from '../src/index.ts';
import { distilRecipe, type RecipeVariant, variantRun } from './distil-recipe.ts';
import { latenciesOf, testCalls } from './mean-latency.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

/** What leaving early may cost on the test split, and how many times faster it has to be. */
const MOST_LOST = 0.003;
const LEAST_SPEEDUP = 2;
/** Test samples that are timed, and for how many seconds about for each model. */
const CALLS = 400;
const SECONDS = 4;

/** One seed: accuracies on the test split, 0 to 1, and mean milliseconds of a sample. */
interface Measured {
  readonly exits: NonNullable<RunResult['exits']>['model'];
  /** The same network trained without exits. */
  readonly plain: number;
  readonly node: Timed;
  readonly wasm: Timed;
}

interface Timed {
  readonly exits: number;
  readonly toTheEnd: number;
}

/** recipes/glosses-exits.yaml beside itself to its last layer, and beside the same student trained without exits. */
export const earlyExits: Proof = {
  name: 'exits',
  title: 'Early exits: easy glosses leave a transformer after its first layers',
  async run(log) {
    const runs: Measured[] = [];
    for (const seed of SEEDS) {
      const variant = variantOf(seed, true);
      const result = await distilled(variant, log);
      const plain = await distilled(variantOf(seed, false), log);
      if (!result.exits) throw new Error('the run has no exits');
      const { recipe, out } = variantRun(variant);
      const calls = await testCalls(recipe, out, CALLS);
      const files = [`${out}/student/onnx/model.onnx`, `${out}/exits/last.onnx`];
      runs.push({
        exits: result.exits.model,
        plain: accuracyOf(plain.student),
        node: await timed(createNodeEngine({ threads: 1 }), files, calls),
        wasm: await timed(createWebEngine({ ort: ort as unknown as OrtModule, threads: 1 }), files, calls),
      });
    }
    const early = runs.map(({ exits }) => exits.test.accuracy);
    const whole = runs.map(({ exits }) => exits.test.toTheEnd);
    const plain = runs.map((run) => run.plain);
    const lost = (from: readonly number[]) => from.map((value, i) => value - (early[i] as number));
    const milliseconds = (of: (run: Measured) => number) => numbers(runs.map(of), 2);
    const times = (of: (run: Measured) => Timed) => runs.map((run) => of(run).toTheEnd / of(run).exits);
    const rows = [
      ['student', 'test accuracy, %', 'Node, ms a sample', 'WASM, ms a sample'],
      [
        'with exits',
        percents(early),
        milliseconds(({ node }) => node.exits),
        milliseconds(({ wasm }) => wasm.exits),
      ],
      [
        'the same, to its last layer for every sample',
        percents(whole),
        milliseconds(({ node }) => node.toTheEnd),
        milliseconds(({ wasm }) => wasm.toTheEnd),
      ],
      ['the same student, trained without exits', percents(plain), 'as the one above', 'as the one above'],
    ];
    const places = runs[0]?.exits.exits ?? [];
    const shares = places.map(({ layer }, i) => {
      const own = runs.map(({ exits }) => exits.exits[i]?.share ?? 0);
      const all = runs.map(({ exits }) => exits.exits[i]?.accuracyOfAll ?? 0);
      return `${layer === undefined ? 'at the end' : `after ${layer}`} ${percents(own)} % (if all left there: ${percents(all)} % right)`;
    });
    const atFirst = spreadOf(runs.map(({ exits }) => exits.exits[0]?.share ?? 0)).mean;
    const remark =
      atFirst > 0.99
        ? ' So this student does not need its later layers, and one of a single layer might do as well: that easy samples leave earlier than others is not shown here.'
        : '';
    return {
      table: markdownTable(rows),
      text: `Who leaves where: ${shares.join('; ')}. Thresholds were chosen on the validation split under a bound of 0.3 points; accuracy is of the test split. Latency is the mean over ${CALLS} test glosses, each in a call of its own, one thread, models in turn.${remark}`,
      claims: [
        ...(['node', 'wasm'] as const).map((where) => ({
          text: `mean latency in ${where === 'node' ? 'Node' : 'WASM'} is at least ${LEAST_SPEEDUP} times lower than to the last layer (${numbers(
            times((run) => run[where]),
            2,
          )} times)`,
          holds: spreadOf(times((run) => run[where])).mean >= LEAST_SPEEDUP,
        })),
        {
          text: `at most 0.3 points less accuracy than to the last layer (${percents(lost(whole))})`,
          holds: spreadOf(lost(whole)).mean <= MOST_LOST,
        },
        {
          text: `at most 0.3 points less accuracy than the same student trained without exits (${percents(lost(plain))})`,
          holds: spreadOf(lost(plain)).mean <= MOST_LOST,
        },
      ],
    };
  },
};

function variantOf(seed: number, withExits: boolean): RecipeVariant {
  return {
    recipe: 'glosses-exits',
    name: `exits-${withExits ? 'with' : 'without'}`,
    seed,
    ...(!withExits && { compress: null }),
    overrides: ['export.int8=false'],
  };
}

function distilled(variant: RecipeVariant, log: (line: string) => void): Promise<RunResult> {
  return distilRecipe({ ...variant, baseline: false, timingSeconds: 0.3, log });
}

async function timed(
  engine: Engine,
  files: readonly string[],
  calls: Awaited<ReturnType<typeof testCalls>>,
): Promise<Timed> {
  const [exits, toTheEnd] = (await latenciesOf(engine, files, calls, SECONDS)) as [number, number];
  return { exits, toTheEnd };
}
