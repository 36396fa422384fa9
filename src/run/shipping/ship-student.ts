import { modelBytes } from '../../export/package-folder.ts';
import { FURTHER_PRECISIONS, type Precision } from '../../export/precisions.ts';
import { rmSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import type { ShippedCheck } from '../../report/result.ts';
import type { RunContext } from '../context/run-context.ts';
import type { StudentPackage, TaskData } from '../context/task.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { checkAnswers } from '../shipping/check-answers.ts';
import { checkShipped } from './check-shipped.ts';

/**
 * Writes a student's folder and reads it as its users will: the only way for a run to write one, so that no student leaves
 * unread. Returns what it was read by. Throws as `TaskData.writeStudent` and `checkShipped`.
 */
export async function shipStudent(
  run: RunContext,
  data: TaskData,
  folder: string,
  content: StudentPackage,
): Promise<ShippedCheck> {
  data.writeStudent(folder, content);
  const options = { precisions: precisionsOf(content) };
  return isOneClass(data.heads)
    ? checkShipped(run, data, folder, options)
    : checkAnswers(run, data, folder, options);
}

/** Bytes that files of a student take as it would ship: it is written in order to know them, and deleted. */
export function writtenBytes(
  data: TaskData,
  folder: string,
  content: StudentPackage,
  files: readonly string[],
): number[] {
  try {
    data.writeStudent(folder, content);
    return files.map((file) => modelBytes(join(folder, file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function precisionsOf({ quantized, further = {} }: StudentPackage): Precision[] {
  return [
    'f32',
    ...(quantized ? (['int8'] as const) : []),
    ...FURTHER_PRECISIONS.filter((precision) => further[precision]),
  ];
}
