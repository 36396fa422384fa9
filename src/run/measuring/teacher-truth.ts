import type { Batch } from '../../data/batch.ts';
import type { Engine } from '../../engine/engine.ts';
import { LimbeckError } from '../../errors.ts';
import { existsSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import type { Head } from '../../targets/head.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { type KeptFiles, requireKept } from '../folder/kept-files.ts';
import { isTaughtAlone } from '../heads/taught-truth.ts';
import { openClassifier } from './open-classifier.ts';

const TEACHER_FILE = 'teacher/model.onnx';

/** Tells of a batch what a run's teacher says of the outputs that no column of the data tells of. */
export interface TeacherTruth {
  tell(batch: Batch): Promise<Batch>;
  close(): Promise<void>;
}

/**
 * Opens a run's teacher (float32), where there are outputs of which only it says what is true; undefined where there are none.
 *
 * @param reads a batch as the teacher reads it
 * @throws LimbeckError `export.missing` where the folder has no teacher, `run.damaged` where it is not as it was written
 */
export async function openTeacherTruth(
  engine: Engine,
  heads: readonly Head[],
  folder: string,
  files: KeptFiles,
  reads: (batch: Batch) => Batch,
): Promise<TeacherTruth | undefined> {
  const taught = heads.filter(isTaughtAlone);
  const [first] = taught;
  if (!first) return undefined;
  if (!existsSync(join(folder, TEACHER_FILE))) {
    throw new LimbeckError(
      'export.missing',
      `only the teacher knows what is true of the output '${first.output}', and it is not there`,
      {
        where: join(folder, TEACHER_FILE),
        remedy: 'Run `limbeck distill` with the recipe: it leaves the teacher in the folder of the run.',
      },
    );
  }
  requireKept(
    folder,
    files,
    TEACHER_FILE,
    'Run `limbeck distill` with the folder: it makes the teacher again.',
  );
  const session = await openClassifier(engine, join(folder, TEACHER_FILE));
  const fetches = Object.fromEntries(taught.map(({ output }) => [output, null]));
  return {
    async tell(batch) {
      const said = await session.run(takenFeeds(session, reads(batch).columns), fetches);
      const told = taught.map(({ output, labels }) => [labels, said[output]] as const);
      return { ...batch, columns: { ...batch.columns, ...Object.fromEntries(told) } } as Batch;
    },
    close: () => session.release(),
  };
}
