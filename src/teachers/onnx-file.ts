import { loweredFirst, strippedFirst } from '../data/modalities/text/tokenizer/normalized-first.ts';
import {
  type JsonObject,
  parseTokenizer,
  type Tokenizer,
} from '../data/modalities/text/tokenizer/tokenizer.ts';
import { LimbeckError } from '../errors.ts';
import type { Value } from '../onnx/graph.ts';
import { textOf, utf8Of } from '../platform/bytes.ts';
import { basename, dirname, join } from '../platform/paths.ts';
import { readSettingsAsync, SettingsTooLargeError } from '../settings-file.ts';
import type { WrittenSize } from '../size-in-bytes.ts';
import { answeringForm } from './answering-form.ts';
import { classifierLogits, requireClassScores, withLogits } from './class-logits.ts';
import { declaredLength } from './declared-length.ts';
import { fileOf, modelFiles } from './model-folder.ts';
import { noTokenizer } from './no-tokenizer.ts';
import { plainDecoder } from './plain-decoder.ts';
import { positionLimit } from './position-limit.ts';
import { readTeacherFile } from './read-teacher.ts';
import { readingLength, readSentenceConfig } from './sentence-config.ts';
import {
  hasTokenVectors,
  readSentenceModules,
  type SentenceModules,
  withSentenceEmbedding,
} from './sentence-modules.ts';
import { promptTokens, teacherPrompt } from './sentence-prompt.ts';
import { type SentenceReading, sentenceReading } from './sentence-reading.ts';
import { teacherClasses } from './teacher-classes.ts';
import { INPUT_IDS, LOGITS, type TextTeacherSource } from './teacher-source.ts';
import { type NamedInputs, type TextRole, textInputs } from './text-inputs.ts';
import { findEmbedding, normalizeTextModel } from './text-model.ts';
import { embeddedVocabulary } from './vocabulary.ts';

export interface OnnxFileOptions {
  /** Path of the ONNX file (external data is read beside it), or of a folder that holds it, as Hugging Face has it. */
  model: string;
  /**
   * Path of its tokenizer.json; tokenizer_config.json and special_tokens_map.json beside it are read too. The one beside
   * the model by default.
   */
  tokenizer?: string;
  /** Which input is which, where their names do not tell. */
  inputs?: NamedInputs;
  /** Which output the scores of the classes are, where names do not tell. */
  output?: string | undefined;
  /** What is needed of the model: its classes, or an embedding on which a head (or all of it) is trained. */
  train: 'none' | 'head' | 'all';
  /** `any`: its outputs are taken as they are, not as scores of classes. */
  answers?: 'class' | 'any';
  /** The classes of its outputs, where its config.json does not name them as the data does. */
  labels?: readonly string[] | undefined;
  /** Goes before each text; the default prompt of its files when absent, none where it is empty. */
  prompt?: string | undefined;
  /** A bound of memory: then its weights stay in their file. */
  memory?: WrittenSize | undefined;
}

/** The length of models whose tokenizer does not tell one, as BERT's. */
export const DEFAULT_MAX_LENGTH = 512;
/** Tables are rounded up for speed, or hold reserved rows: so many more rows than pieces are no mistake. */
const MAX_UNUSED_ROWS = (pieces: number) => 256 + pieces / 10;

/**
 * A person's own ONNX model over tokens, with its tokenizer.
 *
 * @throws LimbeckError `teacher.inputs` and `teacher.outputs` (saying what the model has), `teacher.vocabulary` when
 *   the tokenizer is another model's, `tokenizer.missing`, and what reading the files throws.
 */
export async function openOnnxFile(options: OnnxFileOptions): Promise<TextTeacherSource> {
  const files = modelFiles(options.model);
  const path = files.model;
  const tokenizerFile = options.tokenizer ?? fileOf(files, 'tokenizer.json') ?? noTokenizer(files);
  const sentence = readSentenceConfig(files);
  const { tokenizer, declared, ...told } = await readTokenizer(
    tokenizerFile,
    sentenceReading(files, sentence),
  );
  const length = readingLength({
    sentence,
    tokenizer: declared,
    positions: positionLimit(fileOf(files, 'config.json')),
    otherwise: DEFAULT_MAX_LENGTH,
  });
  const { maxLength } = length;
  const prompt = teacherPrompt(files, options.prompt);
  const tokensOfPrompt = promptTokens(prompt.text, tokenizer, maxLength);
  const title = basename(path);
  const { graph, advice } = readTeacherFile(path, options.memory);
  const answering = answeringForm(plainDecoder(graph, path));
  const read = answering.graph;
  const roles = textInputs(read, path, options.inputs);
  const [ids] = [...roles].find(([, role]) => role === INPUT_IDS) ?? [];
  if (ids) checkVocabulary(embeddedVocabulary(read, ids), tokenizer.vocabularySize, tokenizerFile, path);
  const naming = renamedInputs(roles);
  const notes = [
    ...files.notes,
    ...answering.notes,
    ...(naming ? [naming] : []),
    ...told.notes,
    ...length.notes,
    ...prompt.notes,
  ];
  const plain = normalizeTextModel(read, path, { named: options.inputs, types: tokenizer.types });
  const modules = fileOf(files, 'modules.json');
  const isClassifier = options.train === 'none' && options.answers === 'class';
  const encoder = modules !== undefined && !isClassifier ? encoderOf(modules, options, notes) : undefined;
  const skipped = encoder?.includesPrompt === false ? tokensOfPrompt : 0;
  const makesVector = encoder && (options.train === 'none' || hasTokenVectors(plain.model));
  const normal = makesVector
    ? { ...plain, model: withSentenceEmbedding(plain.model, encoder, path, skipped) }
    : plain;
  const found = {
    title,
    file: path,
    tokenizer,
    maxLength,
    advice: [...advice, ...prompt.advice],
    ...(prompt.text !== '' && { prompt: prompt.text, skipsPrompt: skipped > 0 }),
  };
  if (makesVector)
    notes.push(
      `the teacher is a sentence encoder: ${encoderInWords(encoder, skipped > 0)}, as modules.json says`,
    );
  if (options.train === 'none' && options.answers === 'any') {
    const classes = teacherClasses(fileOf(files, 'config.json'), options.labels);
    return { ...found, notes, ...(classes && { classes }), model: normal.model, constants: normal.constants };
  }
  if (options.train === 'none') {
    const named = classifierLogits(normal.model, path, { named: options.output });
    const scores = withLogits(named.graph);
    requireClassScores(scores.graph, path);
    const classes = teacherClasses(fileOf(files, 'config.json'), options.labels);
    return {
      ...found,
      ...(classes && { classes }),
      notes: [...notes, ...named.notes, ...scores.notes],
      model: scores.graph,
      constants: normal.constants,
      logitsOutput: LOGITS,
    };
  }
  if (options.labels) throw labelsOfTrained(options.train);
  const { model, output, width } = findEmbedding(normal.model, path);
  const classifies = model.outputs.some((value) => value.name === LOGITS);
  return {
    ...found,
    notes,
    model,
    constants: normal.constants,
    embeddingOutput: output,
    embeddingWidth: width,
    ...(classifies && { logitsOutput: LOGITS }),
  };
}

/** As its modules.json says. A head learns from any vector, so that it is told where one cannot be made so. */
function encoderOf(
  modules: string,
  { train }: OnnxFileOptions,
  notes: string[],
): SentenceModules | undefined {
  try {
    return readSentenceModules(modules);
  } catch (cause) {
    if (train === 'none' || !(cause instanceof LimbeckError)) throw cause;
    notes.push(
      `${cause.message}: the head reads another vector of the model, or the mean of its tokens' vectors`,
    );
    return undefined;
  }
}

function encoderInWords({ pooling, normalizes }: SentenceModules, skipsPrompt: boolean): string {
  const of = { mean: 'the mean of', cls: 'the first of', last: 'the last of', max: 'the largest values of' };
  return `its vector is ${of[pooling]} those of the tokens${skipsPrompt ? ' after the prompt' : ''}${normalizes ? ', brought to length 1' : ''}`;
}

function labelsOfTrained(train: string): LimbeckError {
  return new LimbeckError('teacher.labels', 'a teacher that is trained here has the classes of the data', {
    where: `teacher.labels, with teacher.train: ${train}`,
    remedy: 'Remove teacher.labels; or set teacher.train to none, to take the classes that the model has.',
  });
}

/** Inputs that were known by a name that is not transformers', for people. */
function renamedInputs(roles: ReadonlyMap<Value, TextRole>): string | undefined {
  const other = [...roles]
    .filter(([{ name }, role]) => name !== role)
    .map(([{ name }, role]) => `'${name}' is ${role}`);
  return other.length > 0 ? `the teacher's inputs are taken by their names: ${other.join(', ')}` : undefined;
}

function checkVocabulary(rows: number | undefined, pieces: number, tokenizer: string, model: string): void {
  if (rows === undefined || (pieces <= rows && rows - pieces <= MAX_UNUSED_ROWS(pieces))) return;
  throw new LimbeckError(
    'teacher.vocabulary',
    `the tokenizer is another model's: it has ${pieces} pieces where the model embeds ${rows}`,
    {
      where: `${tokenizer} for ${model}`,
      remedy: 'Give the tokenizer.json that came with the model.',
    },
  );
}

/** A tokenizer with what the files beside it say of texts. */
interface ReadTokenizer {
  readonly tokenizer: Tokenizer;
  /** `model_max_length`, where it is one. */
  readonly declared: number | undefined;
  /** What was made of strange values, and what is done to texts first. */
  readonly notes: readonly string[];
}

/** Around a text, to see whether a tokenizer makes tokens of them. */
const BLANKS = ' \n ';

/**
 * A tokenizer.json with the files beside it, and the length that they declare.
 *
 * @param reading what is done to texts before they come to it: the tokenizer does it too, where it matters and it did not
 * @throws LimbeckError `tokenizer.missing`
 */
export async function readTokenizer(path: string, reading: SentenceReading = {}): Promise<ReadTokenizer> {
  let json: Uint8Array;
  try {
    json = await readSettingsAsync(path);
  } catch (cause) {
    if (cause instanceof SettingsTooLargeError) throw cause;
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
  const beside = (name: string) => readSettingsAsync(join(dirname(path), name)).catch(noFile);
  const config = (await beside('tokenizer_config.json')) ?? utf8Of('{}');
  const [map, template] = [await beside('special_tokens_map.json'), await beside('chat_template.jinja')];
  const parse = (bytes: Uint8Array) => parseTokenizer(bytes, config, path, map, template);
  let tokenizer = parse(json);
  const notes: string[] = [];
  const first = (rewrite: (own: JsonObject) => JsonObject, note: string | undefined) => {
    const own = JSON.parse(textOf(json)) as JsonObject;
    const rewritten = rewrite(own);
    if (rewritten === own) return;
    json = utf8Of(JSON.stringify(rewritten));
    tokenizer = parse(json);
    notes.push(note as string);
  };
  if (reading.lowers) first(loweredFirst, reading.lowers);
  const seesBlanks = tokenizer.encode(`${BLANKS}a${BLANKS}`).join() !== tokenizer.encode('a').join();
  if (reading.strips && seesBlanks) first(strippedFirst, reading.strips);
  const { model_max_length } = JSON.parse(textOf(config)) as { model_max_length?: unknown };
  const { length, note } = declaredLength(model_max_length, 'model_max_length of tokenizer_config.json');
  return { tokenizer, declared: length, notes: note === undefined ? notes : [note, ...notes] };
}

/** The files beside it are optional; one that is there and cannot be read is an error. */
function noFile(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
