import type { Difference } from '../../metrics/interval.ts';
import { relative } from '../../platform/paths.ts';
import { type Gate, type ModelResult, shippingPrecisions } from '../../report/result.ts';
import { studentShips } from '../../report/runtime-gates.ts';
import type { Head } from '../../targets/head.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { type ComparedModels, furtherName, INT8_NAME } from '../measuring/compared-models.ts';
import type { Evaluations } from '../measuring/evaluations.ts';
import { type GatedFile, gateOf } from '../shipping/gate.ts';
import { rejectFile } from '../shipping/rejected-files.ts';
import { REJECTED_STUDENT, rejectStudent } from '../shipping/rejected-student.ts';
import type { Shipped } from '../shipping/shipped.ts';

interface Measured {
  readonly models: ComparedModels;
  readonly result: (name: string) => ModelResult;
}

/** Decides whether the int8 file ships. */
export async function gatedInt8(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  { models, result }: Measured,
): Promise<Pick<Evaluations, 'studentInt8' | 'gate'>> {
  const { int8 } = run.recipe.export;
  if (!shipped.studentInt8 || !int8) return { studentInt8: null, gate: null };
  const { float32Layers } = shipped;
  const { fourBitLayers } = shipped;
  const file: GatedFile = { precision: 'int8', maxDrop: int8.maxDrop, float32Layers, fourBitLayers };
  const gated = await gatedFile(run, data, shipped, file, result(INT8_NAME), models.gainOver(INT8_NAME));
  return { studentInt8: gated.result, gate: gated.gate };
}

/** Decides which of the student's files in further precisions ship. */
export async function gatedFurther(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  { models, result }: Measured,
): Promise<Pick<Evaluations, 'further'>> {
  const further: NonNullable<Evaluations['further']> = [];
  for (const file of shipped.further) {
    const { precision } = file;
    const name = furtherName(precision);
    const gated = await gatedFile(run, data, shipped, file, result(name), models.gainOver(name));
    further.push({ precision, ...gated });
  }
  return further.length > 0 ? { further } : {};
}

/** Decides whether a smaller file ships, and takes it out of the folder that does where not. */
async function gatedFile(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  file: GatedFile,
  result: ModelResult,
  drop: Difference,
): Promise<{ result: ModelResult; gate: Gate }> {
  const gate = await gateOf(run, data, shipped, file, drop);
  if (gate.passed) return { result, gate };
  const rejected = rejectFile(run.folder.path, file.precision);
  run.folder.keepFolder('student');
  return { result: { ...result, file: relative(run.folder.path, rejected) }, gate };
}

/** What the gates decide on, and what they leave of it. */
type Gated = Pick<Evaluations, 'student' | 'studentInt8' | 'gate' | 'further' | 'runtimeGates'>;

/** Decides whether the student ships by what it takes in the runtimes that the recipe bounds, and takes all of it out of the way where not. */
export async function gatedInRuntimes(
  run: RunContext,
  data: TaskData,
  shipped: Shipped,
  heads: readonly Head[],
  files: Gated,
): Promise<Gated> {
  if (!run.recipe.export.gate) return files;
  // Loaded where it is used: pages do not pay for it.
  const { measureInRuntimes } = await import('./runtime-gates.ts');
  const ships = new Set(shippingPrecisions(files));
  const runtimeGates = await measureInRuntimes(run, data, shipped, { heads, ships });
  if (studentShips({ runtimeGates })) return { ...files, runtimeGates };
  rejectStudent(run.folder.path);
  run.folder.keepFolder('student');
  return {
    ...files,
    student: moved(files.student),
    studentInt8: files.studentInt8 && moved(files.studentInt8),
    ...(files.further && { further: files.further.map((one) => ({ ...one, result: moved(one.result) })) }),
    runtimeGates,
  };
}

/** The same model with its place among what was kept back. */
function moved({ file, ...model }: ModelResult): ModelResult {
  return file === undefined ? model : { ...model, file: file.replace(/^student(?=[/\\])/, REJECTED_STUDENT) };
}
