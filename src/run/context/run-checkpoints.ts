import { findTransform, type TransformItem } from '../../compress/transforms/index.ts';
import { phasesOf } from '../../compress/transforms/transform.ts';
import { canonicalJson } from '../../data/canonical-json.ts';
import { defaultThreads } from '../../engine/thread-count.ts';
import { createSha256 } from '../../platform/hash.ts';
import { PLATFORM, processorName, RUNTIME } from '../../platform/machine.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { CheckpointFolder } from '../../train/checkpoint.ts';
import { VERSION } from '../../version.ts';
import type { RunContext } from './run-context.ts';

/**
 * The checkpoints of one of a run's trainings, in `checkpoints/NAME/...`. Every training of a run gets them here, so that
 * none goes on from what another recipe, seed, data set or training left.
 */
export function runCheckpoints(
  run: Pick<RunContext, 'recipe' | 'folder' | 'engine'>,
  ...training: string[]
): CheckpointFolder {
  const { recipe, folder, engine } = run;
  const { data, teacher } = folder.inputs;
  // The student of `distill` and that of `train` are not the same; a teacher is the same for both.
  const teaching = ['train', 'compress'].includes(training[0] ?? '') ? folder.teaching : undefined;
  return new CheckpointFolder(folder.file('checkpoints', ...training), {
    identity: {
      training: training.join('/'),
      seed: `${recipe.seed}`,
      recipe: trainingHash(training[0] === 'compress' ? recipe : withoutAfter(recipe)),
      ...(data === undefined ? {} : { data }),
      ...(teacher === undefined ? {} : { teacher }),
      ...(teaching === undefined ? {} : { 'taught by': teaching }),
    },
    circumstances: {
      Limbeck: VERSION,
      engine: engine.title,
      threads: `${defaultThreads()}`,
      node: RUNTIME,
      processor: `${processorName()} (${PLATFORM})`,
    },
  });
}

/** A recipe without the transforms that come after a training and change nothing of it. */
function withoutAfter({ compress, ...recipe }: Recipe): Recipe {
  const left = (compress as readonly TransformItem[] | undefined)?.filter((item) =>
    phasesOf(findTransform(item.kind), item).some((phase) => phase !== 'after'),
  ) as typeof compress;
  return left?.length ? { ...recipe, compress: left } : recipe;
}

/** The hash of all that a recipe says about trainings: all but its name, where things lie, and what comes after them. */
function trainingHash(recipe: Recipe): string {
  const { name: _, store: _store, export: _export, training, ...rest } = recipe;
  const { checkpointEvery: _every, ...trained } = training;
  return createSha256()
    .update(canonicalJson({ ...rest, training: trained }))
    .digest('hex');
}
