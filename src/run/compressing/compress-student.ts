import { afterTraining } from '../../compress/transforms/apply-transforms.ts';
import { LimbeckError } from '../../errors.ts';
import { readModelFile, writeModelFile } from '../../onnx/node-files.ts';
import { mkdirSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import type { Compression } from '../../report/compression.ts';
import type { Student } from '../../students/student.ts';
import { trainedTensors } from '../../train/step-graph.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { shippedForm } from '../shipping/shipped-form.ts';
import type { TrainedStudent } from '../training/trained-student.ts';
import { afterContext, type CompressingLessons } from './after-context.ts';
import { appliedSoFar, sizeOf, writtenRounds } from './applied.ts';
import { transformsOf } from './transforms-of.ts';

/** What a run remembers of its compressed student, beside the model in the folder of its checkpoints. */
interface CompressFinding {
  /** The hash of the parameters that it was made from. */
  readonly from: string;
  readonly parameters: readonly string[];
  readonly validation: TrainedStudent['validation'];
  readonly compression: Compression;
}

/** Applies a recipe's transforms that come after training, one to what another left; what was done is found again. */
export async function compressStudent(
  run: RunContext,
  data: TaskData,
  trained: TrainedStudent,
  lessons: CompressingLessons,
): Promise<TrainedStudent> {
  const found = keptStudent(run, trained);
  if (found) return found;
  const list = transformsOf(run.recipe, data.heads);
  const compression: Compression = [...(appliedSoFar(run.recipe).compression ?? [])];
  run.folder.resetMetrics('compress');
  run.folder.begin('compress');
  let { student, validation } = trained;
  for (const { transform, item, index } of afterTraining(list.items)) {
    run.checkInterrupted();
    const before = sizeOf(shippedForm({ student }), validation);
    const made = await transform.after?.(
      student,
      item,
      afterContext(run, data, lessons, { list, index, validation }),
    );
    if (!made) continue;
    ({ student, validation } = made);
    compression[index] = {
      ...(compression[index] as Compression[number]),
      summary: made.summary,
      before,
      after: sizeOf(shippedForm({ student }), validation),
      ...(made.rounds && { rounds: writtenRounds(made.rounds) }),
    };
  }
  mkdirSync(run.folder.file('checkpoints', 'compress'), { recursive: true });
  writeModelFile(studentFile(run), student.graph);
  const { parameters } = student;
  const finding: CompressFinding = { from: hashOf(trained.student), parameters, validation, compression };
  run.folder.finish('compress', finding);
  return { student, validation, compression, uncompressed: trained.student };
}

/**
 * The student that the transforms of a finished run left.
 *
 * @throws LimbeckError `export.missing` where they have not come to their end
 */
export function compressedStudent(run: RunContext, trained: TrainedStudent): TrainedStudent {
  if (afterTraining(transformsOf(run.recipe, []).items).length === 0) return trained;
  const found = keptStudent(run, trained);
  if (found) return found;
  throw new LimbeckError('export.missing', 'the run has no compressed student yet', {
    where: studentFile(run),
    remedy:
      'Let it come to its end first: `limbeck distill` (or `limbeck train`) with its recipe and folder.',
  });
}

function keptStudent(run: RunContext, trained: TrainedStudent): TrainedStudent | undefined {
  const finding = run.folder.finding<CompressFinding>('compress');
  if (finding?.from !== hashOf(trained.student)) return undefined;
  try {
    const graph = readModelFile(studentFile(run));
    const { parameters, validation, compression } = finding;
    return { student: { graph, parameters }, validation, compression, uncompressed: trained.student };
  } catch (error) {
    // Lost or damaged: its trainings have checkpoints of their own.
    if (error instanceof LimbeckError) return undefined;
    throw error;
  }
}

function studentFile({ folder }: RunContext): string {
  return folder.file('checkpoints', 'compress', 'student.onnx');
}

function hashOf(student: Student): string {
  const hash = createSha256();
  for (const [name, { data }] of trainedTensors(student)) {
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
