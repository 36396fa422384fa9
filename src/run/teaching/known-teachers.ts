import { z } from 'zod';
import { canonicalJson } from '../../data/canonical-json.ts';
import type { TextDataset } from '../../data/text-dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Graph } from '../../onnx/graph.ts';
import { existsSync } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import type { Recipe, TextDistillRecipe } from '../../recipe/schema.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile } from '../../replace-file.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { VERSION } from '../../version.ts';
import type { ReadyTeacher, TaskData } from '../context/task.ts';

const FORMAT = 2;

const knownTeacher = z.object({
  format: z.literal(FORMAT),
  title: z.string(),
  precision: z.enum(['f32', 'int8']),
  /** How often int8 decided as float32 did; null when it was not tried. */
  agreement: z.number().nullable(),
  hashes: z.object({
    /** Of the float32 model: it answers the test split. */
    f32: z.string(),
    /** Of the model that answers the training split: the same, or its int8 form. */
    labelling: z.string(),
  }),
});

/**
 * What making a teacher ready came to: the hashes under which the store keeps its answers. Remembered beside the
 * answers, so that a plan can look them up without training the teacher first.
 */
export type KnownTeacher = Omit<z.output<typeof knownTeacher>, 'format'>;

/** What a key is made of, besides the teacher. */
export interface KeyedRun {
  readonly recipe: Pick<Recipe, 'seed'>;
  readonly engine: Pick<Engine, 'title'>;
}

/** All that decides what a teacher becomes: the same key, the same hashes. @param choice of `trainingChoice`, and what else decides */
export function teacherKey(
  { recipe, engine }: KeyedRun,
  source: { readonly model: Graph; readonly tokenizer: string },
  dataset: Pick<TextDataset, 'fingerprint'>,
  choice: object,
): string {
  const parts = {
    format: FORMAT,
    version: VERSION,
    choice,
    seed: recipe.seed,
    encoder: encoderHash(source),
    tokenizer: source.tokenizer,
    dataset: dataset.fingerprint,
    engine: engine.title,
  };
  return createSha256().update(canonicalJson(parts)).digest('hex').slice(0, 32);
}

/** What a recipe says of how a teacher of texts is trained; where its model lies does not matter, only what it is. */
export function trainingChoice(choice: Partial<TextDistillRecipe['teacher']>): object {
  const { kind, train, precision, minAgreement, head, whole } = choice;
  return { kind, train, precision, minAgreement, head, whole };
}

/** The hash under which the store keeps what a teacher's model answers before it is trained: its embeddings. */
export function encoderHash({ model }: Pick<TeacherSource, 'model'>): string {
  return teacherHash(model);
}

/** Remembers what a run's teacher became, where a plan looks for it. */
export function rememberReady(
  run: KeyedRun & { readonly store: { readonly folder: string } },
  { knownAs, teacherTitle: title }: Pick<TaskData, 'knownAs' | 'teacherTitle'>,
  { precision, agreement, file, labellingFile }: ReadyTeacher,
): void {
  if (!knownAs) return;
  const f32 = teacherHash(file);
  const labelling = labellingFile === file ? f32 : teacherHash(labellingFile);
  const teacher = { title, precision, agreement, hashes: { f32, labelling } };
  rememberTeacher(run.store.folder, knownAs(run), teacher);
}

/** Remembers a teacher, a file of its own for each, so that runs at the same time lose nothing of each other's. */
export function rememberTeacher(storeFolder: string, key: string, teacher: KnownTeacher): void {
  replaceFile(
    fileOf(storeFolder, key),
    `${JSON.stringify({ format: FORMAT, ...teacher }, null, 2)}\n`,
    'store',
  );
}

/** What a teacher with this key became; undefined when no run has told, or what it told cannot be read. */
export function recallTeacher(storeFolder: string, key: string): KnownTeacher | undefined {
  const file = fileOf(storeFolder, key);
  if (!existsSync(file)) return undefined;
  try {
    const { format: _, ...teacher } = knownTeacher.parse(JSON.parse(readRegularText(file)));
    return teacher;
  } catch {
    // Of another version, or damaged: the next run writes it anew, and until then nothing is known.
    return undefined;
  }
}

function fileOf(storeFolder: string, key: string): string {
  return join(storeFolder, 'teachers', `${key}.json`);
}
