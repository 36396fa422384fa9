import { existsSync, mkdirSync } from 'node:fs';
import { Agreement } from '../../knowledge/agreement.ts';
import { readModelFile, writeModelFile } from '../../onnx/node-files.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { percent } from '../../percent.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import type { Evaluation } from '../../train/early-stopping.ts';
import { calibratedInt8 } from '../int8.ts';
import { type RunContext, runStage } from '../run-context.ts';
import { splitBatches } from '../sample-batches.ts';
import type { TaskData } from '../tasks/task.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { encoderHash } from '../teaching/known-teachers.ts';

/** A teacher that is ready to label: files in the run's folder. */
export interface TrainedTeacher {
  /** For people, e.g. `Universal Sentence Encoder lite and a linear head`. */
  readonly title: string;
  /** The float32 model: the one that is compared with the student. */
  readonly file: string;
  /** The model that labels: the same, or its int8 form. */
  readonly labellingFile: string;
  readonly precision: 'f32' | 'int8';
  /** How often int8 decided as float32 did on the sample; null when int8 was not tried. */
  readonly agreement: number | null;
  /** On the validation split; null for a teacher that was not trained here. */
  readonly validation: Evaluation | null;
}

/** What is remembered of a finished teacher. */
type Finding = Pick<TrainedTeacher, 'precision' | 'agreement' | 'validation'>;

/** Samples on which an int8 teacher is compared with its float32 original. */
export const AGREEMENT_SAMPLES = 1024;

/** Trains the teacher on the labelled samples, and chooses the precision in which it labels. */
export function teacherStage(run: RunContext, data: TaskData): Promise<TrainedTeacher> {
  const source = data.task.teacher as TeacherSource;
  return runStage(run, 'teacher', `Make the teacher ready: ${source.title}`, async () => {
    const choice = run.recipe.teacher as NonNullable<Recipe['teacher']>;
    const file = run.folder.file('teacher', 'model.onnx');
    const int8File = run.folder.file('teacher', 'model_int8.onnx');
    run.folder.acceptInput('teacher', encoderHash(source));
    let finding = run.folder.finding<Finding>('teacher');
    if (!finding || !existsSync(file) || (finding.precision === 'int8' && !existsSync(int8File))) {
      const trained = await data.teach(run);
      mkdirSync(run.folder.file('teacher'), { recursive: true });
      writeModelFile(file, withOutputs(trained.model, ['logits']));
      const int8 = choice.precision === 'f32' ? null : await tryInt8(run, data, file, int8File);
      finding = {
        precision:
          int8 && (choice.precision === 'int8' || int8.agreement >= choice.minAgreement) ? 'int8' : 'f32',
        agreement: int8?.agreement ?? null,
        validation: trained.validation,
      };
      if (int8 && finding.precision === 'f32') {
        run.warn(
          `the int8 teacher decides as the float32 one on ${percent(int8.agreement)} of ${int8.samples} ${data.task.unit}, less than ` +
            `teacher.minAgreement (${percent(choice.minAgreement)}): float32 labels`,
        );
      }
      run.folder.finish('teacher', finding);
    }
    const labellingFile = finding.precision === 'int8' ? int8File : file;
    const value = { title: data.teacherTitle, file, labellingFile, ...finding };
    data.remember?.(run, value);
    return { value, summary: summarize(value) };
  });
}

function summarize({ precision, agreement, validation }: TrainedTeacher): string {
  const parts = [];
  if (validation) parts.push(`${percent(validation.accuracy)} on the validation split`);
  if (agreement !== null) parts.push(`int8 agrees on ${percent(agreement)}`);
  parts.push(`${precision} labels`);
  return parts.join('; ');
}

/** Writes the int8 teacher and measures how often it decides as the float32 one does. */
async function tryInt8(
  run: RunContext,
  data: TaskData,
  file: string,
  int8File: string,
): Promise<{ agreement: number; samples: number }> {
  const model = readModelFile(file);
  const { validation } = data.dataset.splits;
  const quantize = await calibratedInt8({
    engine: run.engine,
    model,
    data,
    seed: run.recipe.seed,
    checkInterrupted: run.checkInterrupted,
  });
  writeModelFile(int8File, quantize());
  const [reference, candidate] = await Promise.all(
    [file, int8File].map((path) => openLabeller(run, data.task, path, path)),
  );
  try {
    const agreement = new Agreement(data.dataset.labels.length);
    let samples = 0;
    for (const batch of splitBatches(validation, TEACHER_BATCH)) {
      if (samples >= AGREEMENT_SAMPLES) break;
      run.checkInterrupted();
      const [expected, found] = [
        await reference.label(batch, ['logits']),
        await candidate.label(batch, ['logits']),
      ];
      agreement.add(expected.logits, found.logits);
      samples += batch.filled;
      run.emit({
        type: 'progress',
        stage: 'teacher',
        task: 'comparing int8 with float32',
        done: Math.min(samples, AGREEMENT_SAMPLES),
        total: Math.min(AGREEMENT_SAMPLES, validation.size),
        unit: data.task.unit,
      });
    }
    return { agreement: agreement.summary().top1, samples };
  } finally {
    await reference.close();
    await candidate.close();
  }
}
