import { basename, dirname, join } from 'node:path';
import { parseTokenizer, type Tokenizer } from '../data/tokenizer.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { readModelFile } from '../onnx/node-files.ts';
import { readRegularFileAsync } from '../regular-file.ts';
import { INPUT_IDS, LOGITS, type TextTeacherSource } from './teacher-source.ts';
import { describeValue, findEmbedding, normalizeTextModel } from './text-model.ts';
import { embeddedVocabulary } from './vocabulary.ts';

export interface OnnxFileOptions {
  /** Path of the ONNX file; external data is read beside it. */
  model: string;
  /** Path of its tokenizer.json; tokenizer_config.json and special_tokens_map.json beside it are read too. */
  tokenizer: string;
  /** What is needed of the model: its classes, or an embedding on which a head (or all of it) is trained. */
  train: 'none' | 'head' | 'all';
}

/** The length of models whose tokenizer does not tell one, as BERT's. */
const DEFAULT_MAX_LENGTH = 512;
/** Files without a limit say so with a huge number (1e30). */
const NO_LIMIT = 1_000_000;
/** Tables are rounded up for speed, or hold reserved rows: so many more rows than pieces are no mistake. */
const MAX_UNUSED_ROWS = (pieces: number) => 256 + pieces / 10;

/**
 * A person's own ONNX model over tokens, with its tokenizer.
 *
 * @throws LimbeckError `teacher.inputs` and `teacher.outputs` (saying what the model has), `teacher.vocabulary` when
 *   the tokenizer is another model's, `tokenizer.missing`, and what reading the files throws.
 */
export async function openOnnxFile(options: OnnxFileOptions): Promise<TextTeacherSource> {
  const { tokenizer, maxLength } = await readTokenizer(options.tokenizer);
  const title = basename(options.model);
  const read = readModelFile(options.model);
  const ids = read.inputs.find((input) => input.name === INPUT_IDS);
  if (ids) checkVocabulary(embeddedVocabulary(read, ids), tokenizer.vocabularySize, options);
  const found = { title, tokenizer, maxLength };
  if (options.train === 'none') {
    const { model, constants } = normalizeTextModel(read, options.model);
    requireLogits(model, options.model);
    return { ...found, model, constants, logitsOutput: LOGITS };
  }
  const normal = normalizeTextModel(read, options.model);
  const { model, output, width } = findEmbedding(normal.model, options.model);
  const classifies = model.outputs.some((value) => value.name === LOGITS);
  return {
    ...found,
    model,
    constants: normal.constants,
    embeddingOutput: output,
    embeddingWidth: width,
    ...(classifies && { logitsOutput: LOGITS }),
  };
}

function requireLogits(model: Graph, path: string): void {
  const logits = model.outputs.find((output) => output.name === LOGITS);
  if (logits?.type === 'float32' && logits.shape?.length === 2) return;
  throw new LimbeckError(
    'teacher.outputs',
    logits
      ? `the output '${LOGITS}' is ${describeValue(logits)}, not float32 [batch, classes]`
      : `the model has no output '${LOGITS}'`,
    {
      where: `${path}: its outputs are ${model.outputs.map(describeValue).join('; ')}`,
      remedy: 'Export it as a text classifier, or train a head on its embedding (train: head).',
    },
  );
}

function checkVocabulary(rows: number | undefined, pieces: number, options: OnnxFileOptions): void {
  if (rows === undefined || (pieces <= rows && rows - pieces <= MAX_UNUSED_ROWS(pieces))) return;
  throw new LimbeckError(
    'teacher.vocabulary',
    `the tokenizer is another model's: it has ${pieces} pieces where the model embeds ${rows}`,
    {
      where: `${options.tokenizer} for ${options.model}`,
      remedy: 'Give the tokenizer.json that came with the model.',
    },
  );
}

async function readTokenizer(path: string): Promise<{ tokenizer: Tokenizer; maxLength: number }> {
  let json: Uint8Array;
  try {
    json = await readRegularFileAsync(path);
  } catch (cause) {
    throw new LimbeckError(
      'tokenizer.missing',
      `the tokenizer of the teacher cannot be read: ${(cause as Error).message}`,
      {
        where: path,
        remedy: "Give the path of the model's tokenizer.json (teacher.tokenizer).",
        cause,
      },
    );
  }
  const beside = (name: string) => readRegularFileAsync(join(dirname(path), name)).catch(noFile);
  const config = await beside('tokenizer_config.json');
  const tokenizer = parseTokenizer(json, config, path, await beside('special_tokens_map.json'));
  const declared = (JSON.parse(config.toString('utf8')) as { model_max_length?: unknown }).model_max_length;
  const limited = Number.isInteger(declared) && (declared as number) > 0 && (declared as number) < NO_LIMIT;
  return { tokenizer, maxLength: limited ? (declared as number) : DEFAULT_MAX_LENGTH };
}

/** The files beside it are optional; one that is there and cannot be read is an error. */
function noFile(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.from('{}');
  throw error;
}
