import { LimbeckError } from '../../errors.ts';
import type { StageName } from '../../events.ts';
import { GIVEN } from './given.ts';
import { DISTILL, TRAIN, toldStages } from './index.ts';
import { addRegistered, withRegistered } from './registered.ts';
import type { Stage } from './stage.ts';
import { missingNeed } from './stages-of.ts';

/** A name that is a key of `result.json` and a class of the report's page. `total` is a key of its own. */
const NAME = /^(?!total$)[a-z][a-z0-9-]{0,30}$/;

/**
 * Adds a stage of your own to all commands that have the stage which it comes after and make what it needs: `distill`,
 * `train`, `label`, `export`, `continual`. Its seconds are in `result.json` and in the report, its row in the plan.
 *
 * Register before a run begins. A finished run that does not have the stage yet goes on with it.
 *
 * @param place.after the name of the stage that it comes behind; of several behind the same one, the first registered is first
 *
 * @throws LimbeckError `run.stage` for a name that is taken or unfit, a place that there is not, and for needs that nothing
 * makes before
 *
 * @example
 * registerStage(
 *   stage({
 *     name: 'sums',
 *     about: 'write checksums of the files',
 *     needs: { shipped: artifacts.shipped },
 *     title: () => 'Write checksums',
 *     async run(run, { shipped }) {
 *       const sum = createHash('sha256').update(await readFile(shipped.student)).digest('hex');
 *       await writeFile(run.folder.file('SHA256SUMS'), `${sum}  student/onnx/model.onnx\n`);
 *       return { value: undefined, summary: sum.slice(0, 8) };
 *     },
 *     plan: async (context) => notMeasured(context, 'sums', 'a pass over the files'),
 *   }),
 *   { after: 'export' },
 * );
 */
export function registerStage(stage: Stage, { after }: { readonly after: StageName }): void {
  const names = toldStages(DISTILL).map(({ name }) => name);
  if (!NAME.test(stage.name))
    throw refused(stage, 'its name is not one', 'Use small letters, digits and hyphens; not `total`.');
  if (names.includes(stage.name))
    throw refused(
      stage,
      'there is a stage of this name',
      `Choose a name that is not one of ${names.join(', ')}.`,
    );
  if (!names.includes(after))
    throw refused(stage, `there is no stage '${after}' to come after`, `Name one of ${names.join(', ')}.`);
  const placed = { stage, after };
  const [missing, ...others] = [DISTILL, TRAIN].map((list) => missingIn(withRegistered(list, placed), stage));
  // A command that does not make it does without the stage.
  if (missing && !others.includes(undefined)) {
    throw refused(
      stage,
      `no stage before it makes '${missing}'`,
      `Needs are made by stages before it: place it after another one than '${after}', or do without.`,
    );
  }
  addRegistered(placed);
}

/** What a stage needs and none before it makes, in a command that has it. */
function missingIn(list: readonly Stage[], stage: Stage): string | undefined {
  const made = list.slice(0, list.indexOf(stage)).flatMap(({ makes }) => makes?.name ?? []);
  return missingNeed(stage, new Set([...GIVEN, ...made]));
}

function refused({ name }: Stage, problem: string, remedy: string): LimbeckError {
  return new LimbeckError('run.stage', `the stage '${name}' cannot be registered: ${problem}`, { remedy });
}
