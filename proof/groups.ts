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

const RECIPE = 'fashion-grouped';
const OWN = { kind: 'group', groups: 4, keep: 0.5 } as const;
/** Of the network before, of the blocks, and of all together. */
const EPOCHS = 6 + 1 + 3;

/** recipes/fashion-grouped.yaml: convolutions in groups, distilled block by block, beside the same network otherwise. */
export const groups: Proof = {
  name: 'groups',
  title: 'Fashion-MNIST: a ResNet with grouped convolutions',
  async run(log) {
    const teacher = await compressionTeacher(log);
    const byBlocks: RunResult[] = [];
    const together: RunResult[] = [];
    const fromNothing: RunResult[] = [];
    for (const seed of SEEDS) {
      // The same student as that of the proof of pruning, which may have trained it.
      byBlocks.push(
        await compressedRun({ recipe: RECIPE, name: 'grouped-blocks', seed, trainedAs: 'pruned-l1', log }),
      );
      together.push(
        await compressedRun({
          recipe: RECIPE,
          name: 'grouped-together',
          seed,
          compress: [{ ...OWN, blockEpochs: 0, epochs: 4 }],
          trainedAs: 'grouped-blocks',
          log,
        }),
      );
      fromNothing.push(
        await compressedRun({
          recipe: RECIPE,
          name: 'grouped-from-nothing',
          seed,
          compress: [{ ...OWN, when: 'before' }],
          overrides: [`training.epochs=${EPOCHS}`],
          log,
        }),
      );
    }
    const whole = byBlocks.map(uncompressedOf);
    const [first] = byBlocks as [RunResult];
    const overTogether = differencesOf(byBlocks, together);
    const overNothing = differencesOf(byBlocks, fromNothing);
    const multiplications = (part: 'before' | 'after') =>
      first.compression?.[0]?.[part]?.multiplications ?? 0;
    const share = multiplications('after') / multiplications('before');
    const points = (values: readonly number[]) =>
      numbers(
        values.map((one) => 100 * one),
        2,
      );
    return {
      table: markdownTable([
        NETWORK_COLUMNS,
        networkRow('before: standard convolutions', whole.map(accuracyOf), whole[0] ?? first.student),
        networkRow('four groups: block by block, then together', accuraciesOf(byBlocks), first.student),
        networkRow(
          'four groups: together alone, as many passes',
          accuraciesOf(together),
          (together[0] ?? first).student,
        ),
        networkRow(
          'four groups, distilled from nothing',
          accuraciesOf(fromNothing),
          (fromNothing[0] ?? first).student,
        ),
      ]),
      text:
        `Mean ± standard deviation over ${SEEDS.length} seeds; the teacher (${percents([accuracyOf(teacher.student)])} %) was trained once. ` +
        `Everybody learns from the same 5,000 images, 1,000 of them with labels; the network from nothing for as many epochs as the others in all (${EPOCHS}). ` +
        `The grouped network has ${(100 * share).toFixed(0)} % of the multiplications. Before anything is trained together, ${percents(firstCutsOf(byBlocks))} % of the validation split are right where each group has learnt its own channels, ${percents(firstCutsOf(together))} % where groups are what was left of the layer. ` +
        `In the end block by block has ${points(overTogether)} points more than together alone, and ${points(overNothing)} more than from nothing. ` +
        'No number was chosen on the test split; epochs and groups were set before the first run, and are few: differences are of short trainings.',
      claims: [
        {
          text: 'groups that have learnt their own channels begin better than what was left of the layer, by more than the spread',
          holds:
            spreadOf(firstCutsOf(byBlocks)).mean - spreadOf(firstCutsOf(together)).mean >
            spreadOf(firstCutsOf(byBlocks)).deviation,
        },
        {
          text: 'block by block and then together ends at least as high as together alone',
          holds: spreadOf(overTogether).mean >= 0,
        },
        {
          text: 'it ends at least as high as the same network distilled from nothing',
          holds: spreadOf(overNothing).mean >= 0,
        },
        { text: 'it has at most 0.4 of the multiplications', holds: share <= 0.4 },
      ],
    };
  },
};
