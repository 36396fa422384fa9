import { LimbeckError } from '../errors.ts';
import { readSettingsJson } from '../settings-file.ts';
import { fileOf, type ModelFiles } from './model-folder.ts';

/** What a model's files say of how its input is prepared. */
export interface PreprocessorConfig {
  readonly file: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** The part of a `processor_config.json` that is about one kind of input. */
type ProcessorPart = 'image_processor' | 'feature_extractor';

/**
 * The `preprocessor_config.json` of a model; where there is none, the part of its `processor_config.json` in which transformers writes
 * the same from version 5 on. Undefined where neither is there.
 *
 * @throws LimbeckError `teacher.config` for a file that is not a JSON object
 */
export function readPreprocessorConfig(
  files: Pick<ModelFiles, 'folders'>,
  part: ProcessorPart,
): PreprocessorConfig | undefined {
  const own = fileOf(files, 'preprocessor_config.json');
  if (own !== undefined) return { file: own, json: readObject(own) };
  const file = fileOf(files, 'processor_config.json');
  const json = file !== undefined ? readObject(file)[part] : undefined;
  return file !== undefined && isObject(json) ? { file, json } : undefined;
}

/** The error about a file that does not say how inputs are prepared. */
export function invalidPreprocessor(file: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError('teacher.config', `how the teacher prepares its input cannot be read: ${problem}`, {
    where: file,
    remedy: 'Take the file that came with the model, or move this one away.',
    cause,
  });
}

function readObject(file: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = readSettingsJson(file);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw invalidPreprocessor(file, 'it is not JSON', cause);
  }
  if (!isObject(json)) throw invalidPreprocessor(file, 'it is not a JSON object');
  return json;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
