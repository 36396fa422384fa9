import type { RunResult } from '../src/index.ts';
import { baselineEpochs } from '../src/run/context/compared.ts';
import { answersTable, kept, metricOf, peersOf } from './answers-table.ts';
import { distilRecipe, variantRun } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

const [AUROC, PRECISION, BLEU, EXACT] = [
  'classes/macroAuroc',
  'boxes/mAP@50',
  'sentence/bleu4',
  'sentence/exactMatch',
] as const;

/** Each head alone, of one seed: its part of the recipe, and the metric under the name that it has without others. */
const ALONE = [
  {
    head: 'classes',
    metrics: ['macroAuroc'],
    outputs: 'classes: { target: classes, field: classes, pooling: logSumExp }',
    objective: '{ kind: bceKd, weight: 1 }',
  },
  {
    head: 'boxes',
    metrics: ['mAP@50'],
    outputs: 'boxes: { target: boxes, field: boxes, grid: [12, 12], width: 24 }',
    objective:
      '{ kind: centreFocalKd, weight: 1, channels: [4, null] }, { kind: centreSizesKd, weight: 0.1 }',
  },
  {
    head: 'sentence',
    metrics: ['bleu4', 'exactMatch'],
    outputs: 'sentence: { target: sentence, field: text, width: 48, heads: 4, layers: 1 }',
    objective: '{ kind: nextTokenKd, weight: 1 }',
  },
] as const;

/** How the weights between the heads are decided, beside fixed ones: of one seed. */
const WEIGHTINGS = ['dynamic', 'uncertainty', 'gradient-norms'] as const;

/** One student says what is there and where, and writes a sentence about it, taught by a larger one. */
export const scenes: Proof = {
  name: 'scenes',
  title: 'One student, three heads: scenes',
  async run(log) {
    const runs: RunResult[] = [];
    for (const seed of SEEDS) runs.push(await distilRecipe({ recipe: 'scenes', name: 'scenes', seed, log }));
    const alone = new Map<string, RunResult>();
    for (const { head, outputs, objective } of ALONE) {
      const overrides = [`outputs={${outputs}}`, `objective=[${objective}]`];
      const how = {
        recipe: 'scenes',
        name: `scenes-${head}`,
        seed: SEEDS[0],
        overrides,
        baseline: false,
        log,
      };
      alone.set(head, await distilRecipe(how));
    }
    const weighted = new Map<string, RunResult>();
    for (const kind of WEIGHTINGS) {
      const overrides = [`weighting={kind: ${kind}}`];
      const how = {
        recipe: 'scenes',
        name: `scenes-${kind}`,
        seed: SEEDS[0],
        overrides,
        baseline: false,
        log,
      };
      weighted.set(kind, await distilRecipe(how));
    }
    const students = runs.map(({ student }) => student);
    const baselines = runs.map((run) => peersOf(run).find(({ name }) => name === 'labels')?.result);
    const gain = (metric: string) =>
      students.map((student, i) => metricOf(student, metric) - metricOf(baselines[i], metric));
    const retained = kept(runs, AUROC);
    const { training, baseline } = variantRun({ recipe: 'scenes', name: 'scenes', seed: SEEDS[0] }).recipe;
    // The int8 file is the one that ships.
    const speedups = runs.map(
      ({ teacher, studentInt8 }) => (studentInt8?.throughput ?? 0) / (teacher?.throughput ?? 0),
    );
    const lost = runs.map(
      ({ student, studentInt8 }) => metricOf(student, AUROC) - metricOf(studentInt8, AUROC),
    );
    return {
      table: [
        answersTable({
          runs,
          sample: 'image',
          columns: [
            { metric: AUROC, title: 'macro-AUROC, %' },
            { metric: PRECISION, title: 'mAP@0.5, %' },
            { metric: BLEU, title: 'BLEU-4, %' },
            { metric: EXACT, title: 'sentences exact, %' },
          ],
        }),
        markdownTable([
          ['heads', 'macro-AUROC, %', 'mAP@0.5, %', 'BLEU-4, %', 'sentences exact, %'],
          row('all three, fixed weights', runs, [AUROC, PRECISION, BLEU, EXACT]),
          row(`all three, fixed weights (seed ${SEEDS[0]})`, runs.slice(0, 1), [
            AUROC,
            PRECISION,
            BLEU,
            EXACT,
          ]),
          ...ALONE.map(({ head, metrics }) => {
            const at = { classes: 0, boxes: 1, sentence: 2 }[head];
            const names = Array.from({ length: 4 }, (_, i) => metrics[i - at]);
            return row(`${head} alone (seed ${SEEDS[0]})`, [alone.get(head) as RunResult], names);
          }),
          ...[...weighted].map(([kind, run]) =>
            row(`all three, ${kind} (seed ${SEEDS[0]})`, [run], [AUROC, PRECISION, BLEU, EXACT]),
          ),
        ]),
      ].join('\n\n'),
      text:
        `Mean ± standard deviation over ${runs.length} seeds of the student, 1,000 test scenes of garments that are in no other. The teacher comes along (models/scenes-heads) and was trained on 6,000 scenes; the student learns its answers to 3,000 of them (${training.epochs} passes), the baseline their truth (up to ${baselineEpochs({ baseline })}, of which the best step by the validation split counts, as for the student). ` +
        `The student keeps ${percents(retained)} % of its teacher's macro-AUROC (goal: 96.7, as 0.89 of 0.92) at ${numbers(speedups, 1)} times its throughput (int8, the teacher in float32, a whole sentence written), and has ${percents(gain(AUROC))} points of macro-AUROC, ${percents(gain(PRECISION))} of mAP@0.5 and ${percents(gain(BLEU))} of BLEU-4 more than without a teacher. int8 changes its macro-AUROC by ${percents(lost.map((drop) => -drop))} points.`,
      claims: [
        {
          text: "every student keeps at least 96.7 % of its teacher's macro-AUROC",
          holds: Math.min(...retained) >= 0.967,
        },
        {
          text: 'every int8 student has at least 5 times the throughput of its teacher',
          holds: Math.min(...speedups) >= 5,
        },
        ...(
          [
            [AUROC, 'classes'],
            [PRECISION, 'boxes'],
            [BLEU, 'sentences'],
          ] as const
        ).map(([metric, what]) => ({
          text: `students are better at ${what} than the same student without a teacher, on the mean`,
          holds: spreadOf(gain(metric)).mean > 0,
        })),
        { text: 'int8 loses at most a point of macro-AUROC in every run', holds: Math.max(...lost) <= 0.01 },
      ],
    };
  },
};

/** A row of some runs' students; metrics that they do not have are left empty. */
function row(title: string, runs: readonly RunResult[], metrics: readonly (string | undefined)[]): string[] {
  const cells = metrics.map((metric) =>
    metric === undefined ? '' : percents(runs.map(({ student }) => metricOf(student, metric))),
  );
  return [title, ...cells];
}
