import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../../data/canonical-json.ts';
import { writeModel } from '../../onnx/write-model.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { VERSION } from '../../version.ts';
import { replaceFile } from '../replace-file.ts';

const FORMAT = 1;

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

/** All that decides what a teacher becomes: the same key, the same hashes. */
export function teacherKey(options: {
  readonly choice: NonNullable<Recipe['teacher']>;
  readonly seed: number;
  readonly source: Pick<TeacherSource, 'model' | 'tokenizer'>;
  readonly datasetFingerprint: string;
  readonly engineTitle: string;
}): string {
  const { choice, seed, source, datasetFingerprint, engineTitle } = options;
  const { kind, train, precision, minAgreement, head, whole } = choice;
  const parts = {
    format: FORMAT,
    version: VERSION,
    // The model's own bytes stand for its path.
    choice: { kind, train, precision, minAgreement, head, whole },
    seed,
    encoder: createHash('sha256').update(writeModel(source.model)).digest('hex'),
    tokenizer: source.tokenizer.hash,
    dataset: datasetFingerprint,
    engine: engineTitle,
  };
  return createHash('sha256').update(canonicalJson(parts)).digest('hex').slice(0, 32);
}

/** Remembers a teacher, a file of its own for each, so that runs at the same time lose nothing of each other's. */
export function rememberTeacher(storeFolder: string, key: string, teacher: KnownTeacher): void {
  replaceFile(fileOf(storeFolder, key), `${JSON.stringify({ format: FORMAT, ...teacher }, null, 2)}\n`);
}

/** What a teacher with this key became; undefined when no run has told, or what it told cannot be read. */
export function recallTeacher(storeFolder: string, key: string): KnownTeacher | undefined {
  const file = fileOf(storeFolder, key);
  if (!existsSync(file)) return undefined;
  try {
    const { format: _, ...teacher } = knownTeacher.parse(JSON.parse(readFileSync(file, 'utf8')));
    return teacher;
  } catch {
    // Of another version, or damaged: the next run writes it anew, and until then nothing is known.
    return undefined;
  }
}

function fileOf(storeFolder: string, key: string): string {
  return join(storeFolder, 'teachers', `${key}.json`);
}
