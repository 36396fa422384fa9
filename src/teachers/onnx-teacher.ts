import type { Batch } from '../data/batch.ts';
import { ANSWER_PLACES, ANSWERED, SEQUENCE } from '../data/columns.ts';
import type { Engine, Session } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import { tensorPieces } from '../onnx/encode-tensor.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { modelPieces } from '../onnx/model-pieces.ts';
import { openModelFile } from '../onnx/node-files.ts';
import { readModel } from '../onnx/read-model.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { createSha256 } from '../platform/hash.ts';
import { readChunks } from '../regular-file.ts';
import { answersOf, asAsked, feedsOf, requireTaps } from './model-batches.ts';
import type { MemoryBound } from './parts/parted-model.ts';
import type { Teacher, TeacherOutput } from './teacher.ts';
import { ATTENTION_MASK, INPUT_IDS, PIXEL_VALUES, TOKEN_TYPE_IDS } from './teacher-source.ts';
import { embeddedVocabulary } from './vocabulary.ts';

export interface OnnxTeacherOptions {
  engine: Engine;
  /** The model's bytes, or the path of its file (external data is read beside it); with `bound` its graph, too. */
  model: Uint8Array | string | Graph;
  /** For people; a path's own by default. */
  title?: string;
  /** What made the inputs: see `Teacher.preprocessing`. */
  preprocessing: string;
  /** How many different ids the tokenizer gives; checked against the model's embedding. */
  vocabularySize?: number;
  /** Columns of batches that are fed in their own type; `pixel_values` by default. */
  columns?: readonly string[];
  /** Threads of the session; the engine's by default. */
  threads?: number;
  /** Whether several batches are asked about at once where that gets more done (`Teacher.batchesAtOnce`); false by default. */
  parallel?: boolean;
  /** What the answers are kept under, when the model was made of another one (`tapTeacher`); its own hash by default. */
  hash?: string;
  /** Within what memory it runs: in parts where it is larger. Its weights then lie in files. */
  bound?: MemoryBound;
}

/**
 * A teacher that is an ONNX model over tokens, images or both. Its inputs are `input_ids` and, where it has them,
 * `attention_mask` and `token_type_ids` (zeros), each [batch, sequence]; `pixel_values`, float32 [batch, channels,
 * height, width], alone or beside them. Every float32 output [batch, ...] is a tap.
 *
 * Rows that only fill a batch up are not computed, unless the model takes a fixed number of rows. In float32 a sample's answer has the
 * same bits in any number of rows (measured with ONNX Runtime on a CPU). In int8 whose ranges are found anew for each batch
 * (dynamic quantisation) it depends on the rows beside it, as it always has; calibrated ranges do not change with them.
 *
 * @throws LimbeckError `teacher.inputs`, `teacher.outputs`, `teacher.vocabulary`, and what reading and loading throw.
 */
export async function createOnnxTeacher(options: OnnxTeacherOptions): Promise<Teacher> {
  const { engine, model, preprocessing, vocabularySize } = options;
  const title = options.title ?? (typeof model === 'string' ? model : 'the teacher');
  const { graph, hash } = readTeacherModel(model, title);
  const inputs = inputsOf(graph, title, options.columns ?? [PIXEL_VALUES]);
  const outputs = outputsOf(graph, title);
  if (vocabularySize !== undefined && inputs.ids) checkVocabulary(graph, inputs.ids, vocabularySize, title);
  const { bound } = options;
  if (bound) {
    // Loaded where it is used: pages do not pay for it.
    const { boundedTeacher } = await import('./parts/parted-teacher.ts');
    const own = { ...options, title, hash: options.hash ?? hash, outputs, inputs: inputs.all, bound };
    return boundedTeacher(graph, engine, own);
  }
  const session = await engine.load(loadable(model), {
    title,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.parallel && { parallel: true }),
  });
  return {
    title,
    hash: options.hash ?? hash,
    preprocessing,
    outputs,
    ...(session.runsAtOnce !== undefined && { batchesAtOnce: session.runsAtOnce }),
    label: (batch, taps) => label(session, inputs.all, outputs, title, asAsked(inputs.all, batch), taps),
    close: () => session.release(),
  };
}

/**
 * The hash of a teacher over this model (`Teacher.hash`), without loading it: its file's path, its bytes, or a graph, whose
 * bytes are those that `writeModel` gives. Weights that lie in files are read one after another.
 */
export function teacherHash(model: Uint8Array | string | Graph): string {
  if (typeof model === 'string') return readTeacherModel(model, model).hash;
  return sha256(model instanceof Uint8Array ? [model] : modelPieces(model));
}

function readTeacherModel(model: Uint8Array | string | Graph, title: string): { graph: Graph; hash: string } {
  if (typeof model !== 'string' && !(model instanceof Uint8Array))
    return { graph: model, hash: sha256(modelPieces(model)) };
  if (typeof model !== 'string') return { graph: readModel(model, { title }), hash: sha256([model]) };
  const { graph, files } = openModelFile(model);
  return { graph, hash: sha256(hashed(model, graph, files.length > 1)) };
}

/** Weights that lie in another file are part of the answers, so they are part of the hash. */
function* hashed(path: string, { initializers }: Graph, hasOtherFiles: boolean): Generator<Uint8Array> {
  yield* readChunks(path);
  if (!hasOtherFiles) return;
  for (const tensor of initializers.values()) if (tensor.type !== 'string') yield* tensorPieces(tensor);
}

function sha256(pieces: Iterable<Uint8Array>): string {
  const hash = createSha256();
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

function loadable(model: OnnxTeacherOptions['model']): Uint8Array | string {
  return typeof model === 'string' || model instanceof Uint8Array ? model : writeModel(model);
}

/** The inputs of text models that batches fill. */
const TEXT_INPUTS = [INPUT_IDS, ATTENTION_MASK, TOKEN_TYPE_IDS];
/** With the images of models that read both, and what says which of its tokens a teacher answers for. */
const BATCH_INPUTS = [...TEXT_INPUTS, PIXEL_VALUES, ANSWER_PLACES];

function inputsOf(
  graph: Graph,
  title: string,
  plain: readonly string[],
): { all: readonly Value[]; ids: Value | undefined } {
  // Pixels, waveforms and columns of other modalities are fed as they are.
  if (graph.inputs.length > 0 && graph.inputs.every(({ name }) => plain.includes(name)))
    return { all: graph.inputs, ids: undefined };
  const ids = graph.inputs.find((input) => input.name === INPUT_IDS);
  const strange = graph.inputs.find(
    (input) =>
      !BATCH_INPUTS.includes(input.name) || !['int64', 'int32', 'float32'].includes(input.type ?? ''),
  );
  if (!ids || strange) {
    throw new LimbeckError(
      'teacher.inputs',
      strange
        ? `${title} has an input '${strange.name}' (${strange.type}) that no text batch fills`
        : `${title} has no input 'input_ids'`,
      {
        where: `inputs: ${graph.inputs.map((input) => input.name).join(', ')}`,
        remedy: `Export it with the inputs ${TEXT_INPUTS.join(', ')} (int64 [batch, sequence]).`,
      },
    );
  }
  return { all: graph.inputs, ids };
}

function outputsOf(graph: Graph, title: string): Record<string, TeacherOutput> {
  const length = graph.inputs.find(({ name }) => name === INPUT_IDS)?.shape?.[1];
  const outputs: Record<string, TeacherOutput> = {};
  for (const { name, type, shape } of graph.outputs) {
    const answered = shape?.includes(ANSWERED) === true;
    const dims = shape
      ?.slice(1)
      .map((dim) => (typeof dim === 'string' && (dim === length || dim === ANSWERED) ? SEQUENCE : dim));
    if (type !== 'float32' || !dims?.every((dim) => typeof dim === 'number' || dim === SEQUENCE)) continue;
    outputs[name] = { type, dims: dims as TeacherOutput['dims'], ...(answered && { answered }) };
  }
  if (Object.keys(outputs).length > 0) return outputs;
  throw new LimbeckError('teacher.outputs', `${title} has no output that can be knowledge`, {
    where: graph.outputs.map(({ name, type, shape }) => `${name}: ${type} [${shape}]`).join('; '),
    remedy: 'It has to have a float32 output [batch, ...] whose sizes beyond the batch are known.',
  });
}

function checkVocabulary(graph: Graph, ids: Value, tokenizer: number, title: string): void {
  const embedded = embeddedVocabulary(graph, ids);
  if (embedded === undefined || tokenizer <= embedded) return;
  throw vocabularyError(title, `the tokenizer has ${tokenizer} pieces, the model embeds ${embedded}`);
}

function vocabularyError(title: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError('teacher.vocabulary', `the tokenizer does not belong to ${title}: ${problem}`, {
    where: 'input_ids',
    remedy: 'Give the tokenizer that came with the model.',
    cause,
  });
}

async function label(
  session: Session,
  inputs: readonly Value[],
  outputs: Readonly<Record<string, TeacherOutput>>,
  title: string,
  batch: Batch,
  taps: readonly string[],
): Promise<Record<string, Float32Array>> {
  requireTaps(outputs, taps, title);
  const feeds = feedsOf(inputs, batch);
  let results: Record<string, Tensor>;
  try {
    results = await session.run(feeds, Object.fromEntries(taps.map((tap) => [tap, null])));
  } catch (error) {
    const message = (error as Error).message;
    if (/indices element out of data bounds/.test(message)) throw vocabularyError(title, message, error);
    throw error;
  }
  return answersOf(results, { outputs, title, batch, taps });
}
