import { accuracyOf, type RunResult } from '../src/index.ts';
import {
  accuraciesOf,
  compressedRun,
  compressionTeacher,
  differencesOf,
  firstCutsOf,
  NETWORK_COLUMNS,
  networkRow,
  uncompressedOf,
} from './compressed-runs.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, numbers, percents, spreadOf } from './statistics.ts';

const RECIPE = 'fashion-pruned';
const ROUNDS = { kind: 'prune', amount: 0.5, rounds: 2, between: 1, epochs: 13, keep: 0.5 } as const;
/** Of the network that is pruned, and of the rounds afterwards. */
const EPOCHS = 6 + 1 + 13;

/** The same with channels that are drawn. */
const RANDOM = [{ ...ROUNDS, criterion: 'random' }];

/** recipes/fashion-pruned.yaml: half of the channels, beside the same small network from nothing and a random choice. */
export const pruning: Proof = {
  name: 'pruning',
  title: 'Fashion-MNIST: a ResNet pruned by half',
  async run(log) {
    const teacher = await compressionTeacher(log);
    const byWeights: RunResult[] = [];
    const atRandom: RunResult[] = [];
    const fromNothing: RunResult[] = [];
    for (const seed of SEEDS) {
      byWeights.push(await compressedRun({ recipe: RECIPE, name: 'pruned-l1', seed, log }));
      fromNothing.push(
        await compressedRun({
          recipe: RECIPE,
          name: 'pruned-from-nothing',
          seed,
          compress: null,
          overrides: ['student.width=8', `training.epochs=${EPOCHS}`],
          log,
        }),
      );
      atRandom.push(
        await compressedRun({
          recipe: RECIPE,
          name: 'pruned-random',
          seed,
          compress: RANDOM,
          trainedAs: 'pruned-l1',
          log,
        }),
      );
    }
    const whole = byWeights.map(uncompressedOf);
    const [first] = byWeights as [RunResult];
    const rounds = first.compression?.[0]?.rounds ?? [];
    const gain = differencesOf(byWeights, fromNothing);
    const overRandom = differencesOf(byWeights, atRandom);
    return {
      table: markdownTable([
        NETWORK_COLUMNS,
        networkRow('before pruning', whole.map(accuracyOf), whole[0] ?? first.student),
        networkRow('pruned by half, by the L1 norm of weights', accuraciesOf(byWeights), first.student),
        networkRow('pruned by half, at random', accuraciesOf(atRandom), (atRandom[0] ?? first).student),
        networkRow(
          'as small, distilled from nothing',
          accuraciesOf(fromNothing),
          (fromNothing[0] ?? first).student,
        ),
      ]),
      text:
        `Mean ± standard deviation over ${SEEDS.length} seeds; the teacher (${percents([accuracyOf(teacher.student)])} %) was trained once. ` +
        `Everybody learns from the same 5,000 images, 1,000 of them with labels; the network from nothing for as many epochs as the pruned one in all (${EPOCHS}), all of them small. ` +
        `Right after the first round (${rounds[0]?.name ?? ''}), before anything was trained again, ${percents(firstCutsOf(byWeights))} % of the validation split are right by weights, ${percents(firstCutsOf(atRandom))} % at random. ` +
        `Pruned by weights the network has ${numbers(
          gain.map((one) => 100 * one),
          2,
        )} points more than from nothing and ${numbers(
          overRandom.map((one) => 100 * one),
          2,
        )} more than pruned at random. ` +
        'No number was chosen on the test split. With 3 epochs after the last round instead of 13 (and 10 in all) the pruned network ended 0.6 points below the one from nothing: how long it is trained was then chosen on the validation split of seeds 1 and 2.',
      claims: [
        {
          text: 'pruned by half with distillation has at least the accuracy of the same network distilled from nothing',
          holds: spreadOf(gain).mean >= 0,
        },
        {
          text: 'the L1 norm of weights chooses better than chance, by more than the spread over seeds',
          holds: spreadOf(overRandom).mean > spreadOf(overRandom).deviation,
        },
        {
          text: 'the file that ships has less than 0.3 of the parameters',
          holds: first.student.parameters < 0.3 * (whole[0]?.parameters ?? 0),
        },
      ],
    };
  },
};
