import type { Dataset } from '../../data/dataset.ts';
import type { Split } from '../../data/split.ts';
import { dirname } from '../../platform/paths.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { teacherMemory } from '../../recipe/teacher-memory.ts';
import { sizeInBytes } from '../../size-in-bytes.ts';
import type { MemoryBound } from '../../teachers/parts/parted-model.ts';
import type { TeacherSource, TextTeacherSource } from '../../teachers/teacher-source.ts';
import type { TaskData } from '../context/task.ts';
import { TEACHER_BATCH } from './ask-teacher.ts';

/** What decides how large the parts of a teacher may be. */
export interface BoundedData {
  readonly dataset: Pick<Dataset<Split>, 'splits' | 'columns'>;
  readonly task: { readonly teacher?: TeacherSource | undefined };
  readonly teacherReads?: TaskData['teacherReads'] | undefined;
}

/**
 * Within what memory a run's teacher is asked; undefined where the recipe sets no bound.
 *
 * @param file the teacher's model, beside which its parts are written
 */
export function memoryBound(
  { recipe }: { readonly recipe: Recipe },
  { dataset, task, teacherReads }: BoundedData,
  file: string,
): MemoryBound | undefined {
  const memory = teacherMemory(recipe);
  if (memory === undefined) return undefined;
  const own = (task.teacher as Partial<TextTeacherSource> | undefined)?.maxLength;
  const columns = dataset.columns.flatMap(({ name, shape }) =>
    shape.every((size): size is number => typeof size === 'number') ? [[name, shape] as const] : [],
  );
  return {
    memory: sizeInBytes(memory),
    rows: TEACHER_BATCH,
    length: (teacherReads ? own : undefined) ?? longestOf(dataset.splits) ?? recipe.data.maxLength,
    folder: dirname(file),
    samples: new Map(columns),
  };
}

/** The length that texts are padded to at most; undefined where they are none. */
function longestOf(splits: Readonly<Record<string, Split>>): number | undefined {
  const lengths = Object.values(splits).flatMap(({ buckets }) =>
    buckets.flatMap(({ length }) => length ?? []),
  );
  return lengths.length > 0 ? Math.max(...lengths) : undefined;
}
