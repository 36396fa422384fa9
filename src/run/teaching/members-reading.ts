import type { Graph } from '../../onnx/graph.ts';
import { memberLength } from '../../teachers/several/combine.ts';
import type { TeacherReading } from '../context/task.ts';
import { readingBy } from './reading-by.ts';

/** How one of several teachers reads. */
export interface MemberReading {
  readonly model: Graph;
  /** Where it has a processor of its own. */
  readonly teacherReads?: TeacherReading | undefined;
}

/** The names of the columns that a teacher with a processor of its own reads, by those of its model. */
export function ownInputs(i: number, { inputs }: Graph): ReadonlyMap<string, string> {
  return new Map(inputs.map(({ name }) => [name, `teacher_${i}_${name}`]));
}

/** How all of them read: the columns of those with a processor of their own beside those of the student. */
export function readingOfAll(members: readonly MemberReading[]): TeacherReading | undefined {
  const own = members.flatMap(({ teacherReads, model }, i) =>
    teacherReads ? [{ teacherReads, i, names: ownInputs(i, model) }] : [],
  );
  if (own.length === 0) return undefined;
  const others = members.filter(({ teacherReads }) => !teacherReads);
  const columns = [
    ...new Set(others.flatMap(({ model }) => model.inputs.map(({ name }) => name))),
    ...own.flatMap(({ names }) => [...names.values()]),
  ];
  const told = own.map(({ teacherReads, i }) => `teacher ${i}: ${teacherReads.preprocessing}`).join('; ');
  const preprocessing = others.length > 0 ? `${told}; the others as the student` : told;
  const apart = own.find(({ teacherReads }) => teacherReads.apart)?.teacherReads.apart;
  return readingBy({ preprocessing, columns, ...(apart && { apart }) }, (batch, split) => {
    const all = { ...batch.columns };
    const sizes: Record<string, number> = { ...batch.sizes };
    for (const { teacherReads, i, names } of own) {
      const read = teacherReads.batch(batch, split);
      for (const [name, as] of names) {
        const column = read.columns[name];
        if (!column) continue;
        all[as] = column;
        if (column.dims.length === 2) sizes[memberLength(i)] = column.dims[1] as number;
      }
    }
    return { columns: all, sizes };
  });
}
