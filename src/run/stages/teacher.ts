import { existsSync, mkdirSync } from 'node:fs';
import type { TextDataset } from '../../data/text-dataset.ts';
import { LimbeckError } from '../../errors.ts';
import { Agreement } from '../../knowledge/agreement.ts';
import type { Graph } from '../../onnx/graph.ts';
import { readModelFile, writeModelFile } from '../../onnx/node-files.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { percent } from '../../percent.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import { LOGITS, type TeacherSource } from '../../teachers/teacher-source.ts';
import type { Evaluation } from '../../train/early-stopping.ts';
import { calibratedInt8 } from '../int8.ts';
import { type RunContext, runStage } from '../run-context.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { fineTune } from '../teaching/fine-tune.ts';
import { encoderHash, rememberTeacher, teacherKey } from '../teaching/known-teachers.ts';
import { trainHead } from '../teaching/train-head.ts';
import { splitBatches } from '../text-batches.ts';

/** A teacher that is ready to label: files in the run's folder. */
export interface TrainedTeacher {
  readonly source: TeacherSource;
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

/** Texts on which an int8 teacher is compared with its float32 original. */
export const AGREEMENT_TEXTS = 1024;

/** Trains the teacher on the labelled samples, and chooses the precision in which it labels. */
export function teacherStage(
  run: RunContext,
  source: TeacherSource,
  dataset: TextDataset,
): Promise<TrainedTeacher> {
  return runStage(run, 'teacher', `Make the teacher ready: ${source.title}`, async () => {
    const choice = run.recipe.teacher as NonNullable<Recipe['teacher']>;
    const file = run.folder.file('teacher', 'model.onnx');
    const int8File = run.folder.file('teacher', 'model_int8.onnx');
    const trains = choice.train !== 'none';
    const head = choice.head.hidden > 0 ? 'a head with a hidden layer' : 'a linear head';
    const title = trains
      ? `${source.title} and ${head}${choice.train === 'all' ? ', trained whole' : ''}`
      : source.title;

    requireLength(source, run.recipe.data.maxLength);
    run.folder.acceptInput('teacher', encoderHash(source));
    let finding = run.folder.finding<Finding>('teacher');
    if (!finding || !existsSync(file) || (finding.precision === 'int8' && !existsSync(int8File))) {
      const trained = await trainTeacher(run, source, dataset, choice);
      mkdirSync(run.folder.file('teacher'), { recursive: true });
      writeModelFile(file, withOutputs(trained.model, ['logits']));
      const int8 = choice.precision === 'f32' ? null : await tryInt8(run, source, dataset, file, int8File);
      finding = {
        precision:
          int8 && (choice.precision === 'int8' || int8.agreement >= choice.minAgreement) ? 'int8' : 'f32',
        agreement: int8?.agreement ?? null,
        validation: trained.validation,
      };
      if (int8 && finding.precision === 'f32') {
        run.warn(
          `the int8 teacher decides as the float32 one on ${percent(int8.agreement)} of ${int8.texts} texts, less than ` +
            `teacher.minAgreement (${percent(choice.minAgreement)}): float32 labels`,
        );
      }
      run.folder.finish('teacher', finding);
    }
    const labellingFile = finding.precision === 'int8' ? int8File : file;
    const value = { source, title, file, labellingFile, ...finding };
    const f32 = teacherHash(file);
    rememberTeacher(run.store.folder, teacherKey(run, source, dataset, choice), {
      title,
      precision: finding.precision,
      agreement: finding.agreement,
      hashes: { f32, labelling: labellingFile === file ? f32 : teacherHash(labellingFile) },
    });
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

async function trainTeacher(
  run: RunContext,
  source: TeacherSource,
  dataset: TextDataset,
  choice: NonNullable<Recipe['teacher']>,
): Promise<{ model: Graph; validation: Evaluation | null }> {
  if (choice.train === 'none') {
    if (source.logitsOutput === undefined) {
      throw new LimbeckError('teacher.outputs', `${source.title} is no classifier: it has no logits`, {
        where: 'teacher.train',
        remedy: 'Set teacher.train to head, so that a classifier is trained on its embeddings.',
      });
    }
    requireClasses(source, dataset.labels.length);
    return { model: source.model, validation: null };
  }
  const head = await trainHead(run, source, dataset, choice.head);
  return choice.train === 'all'
    ? fineTune(run, { ...source, model: head.model }, dataset, choice.whole)
    : head;
}

/** Past its last position a teacher looks up what is not there; the engine would say so in the middle of the run. */
function requireLength({ title, maxLength }: TeacherSource, wanted: number): void {
  if (wanted <= maxLength) return;
  throw new LimbeckError('teacher.length', `the teacher reads ${maxLength} tokens, not ${wanted}`, {
    where: `data.maxLength, for ${title}`,
    remedy: `Set data.maxLength to ${maxLength} or less. For an ONNX file the limit is model_max_length of the tokenizer_config.json beside its tokenizer, or 512.`,
  });
}

/** A classifier of other classes teaches nothing: its answers would be taken for those of the classes at their place. */
function requireClasses({ model, title }: TeacherSource, classes: number): void {
  const width = model.outputs.find(({ name }) => name === LOGITS)?.shape?.[1];
  if (typeof width !== 'number' || width === classes) return;
  throw new LimbeckError('teacher.classes', `the teacher has ${width} classes, the data ${classes}`, {
    where: title,
    remedy: 'List its classes in its order in data.labels, or train a head on its embedding (train: head).',
  });
}

/** Writes the int8 teacher and measures how often it decides as the float32 one does. */
async function tryInt8(
  run: RunContext,
  source: TeacherSource,
  dataset: TextDataset,
  file: string,
  int8File: string,
) {
  const model = readModelFile(file);
  const { train, validation } = dataset.splits;
  const quantize = await calibratedInt8({
    engine: run.engine,
    model,
    split: train,
    seed: run.recipe.seed,
    checkInterrupted: run.checkInterrupted,
  });
  writeModelFile(int8File, quantize());
  const [reference, candidate] = await Promise.all(
    [file, int8File].map((path) => openLabeller(run, source, path, path)),
  );
  try {
    const agreement = new Agreement(dataset.labels.length);
    let texts = 0;
    for (const batch of splitBatches(validation, TEACHER_BATCH)) {
      if (texts >= AGREEMENT_TEXTS) break;
      run.checkInterrupted();
      const [expected, found] = [
        await reference.label(batch, ['logits']),
        await candidate.label(batch, ['logits']),
      ];
      agreement.add(expected.logits, found.logits);
      texts += batch.filled;
      run.emit({
        type: 'progress',
        stage: 'teacher',
        task: 'comparing int8 with float32',
        done: Math.min(texts, AGREEMENT_TEXTS),
        total: Math.min(AGREEMENT_TEXTS, validation.size),
        unit: 'texts',
      });
    }
    return { agreement: agreement.summary().top1, texts };
  } finally {
    await reference.close();
    await candidate.close();
  }
}
