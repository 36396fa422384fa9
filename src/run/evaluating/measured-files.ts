import type { LayerPrecision } from '../../report/result.ts';
import { furtherName, INT8_NAME, STUDENT_NAME, TEACHER_NAME } from '../measuring/compared-models.ts';
import type { Shipped } from '../shipping/shipped.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';

/** The files that are measured, by name. */
export function measuredFiles(
  { student, studentInt8, further, baselines }: Shipped,
  teacher: TrainedTeacher | undefined,
): ReadonlyMap<string, string> {
  return new Map([
    ...(teacher && !teacher.hosted ? [[TEACHER_NAME, teacher.file] as const] : []),
    [STUDENT_NAME, student] as const,
    ...(studentInt8 ? [[INT8_NAME, studentInt8] as const] : []),
    ...further.map(({ precision, file }) => [furtherName(precision), file] as const),
    ...baselines.map(({ name, file }) => [name, file] as const),
  ]);
}

/** The student's files that are made of its float32 one, by name, with what became of their layers. */
export function smallerFiles({
  studentInt8,
  layers,
  further,
}: Shipped): ReadonlyMap<string, readonly LayerPrecision[]> {
  return new Map([
    ...(studentInt8 ? [[INT8_NAME, layers] as const] : []),
    ...further.map((file) => [furtherName(file.precision), file.layers] as const),
  ]);
}

/** The same files, with the network as a plain one where the student's has branches: no gradient goes through those. */
export function withoutBranches(
  files: ReadonlyMap<string, string>,
  { exits }: Pick<Shipped, 'exits'>,
): ReadonlyMap<string, string> {
  return exits ? new Map([...files, [STUDENT_NAME, exits.last]]) : files;
}
