import type { Engine, Session } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { textOf } from '../platform/bytes.ts';
import { EXITS_FILE, exitsManifestSchema, type PartOfExits } from './exits-manifest.ts';

export interface EarlyExitsOptions {
  /** Runs the parts. */
  readonly engine: Pick<Engine, 'load'>;
  /** A file of the student's folder, by its name there: `exits.json`, `onnx/exits/part_1.onnx`. */
  read(name: string): Promise<Uint8Array>;
  /** Which of the student's files is run in parts (`onnx/model.onnx`). */
  readonly model?: string;
}

/** What a batch was answered. */
export interface EarlyAnswers {
  /** float32 [rows, classes]: of each sample the answer of the exit that it left by. */
  readonly logits: Tensor;
  /** Of each sample how sure it was there, 0 to 1. */
  readonly confidence: Float32Array;
  /** Of each sample the exit that it left by: 1 for the first one; the last number is the network's end. */
  readonly exit: Int32Array;
}

/**
 * A student with early exits, run on batches: part by part, each on the samples that have not left before. One sample is
 * answered as fast by the student's own file, in which the parts are branches.
 *
 * @example
 * const student = await EarlyExits.open({
 *   engine: createWebEngine({ ort: () => import('onnxruntime-web/wasm') }),
 *   read: async (name) => new Uint8Array(await (await fetch(`student/${name}`)).arrayBuffer()),
 * });
 * const { logits, exit } = await student.run({ input_ids, attention_mask });
 */
export class EarlyExits {
  readonly #parts: readonly PartOfExits[];
  readonly #sessions: readonly Session[];

  private constructor(parts: readonly PartOfExits[], sessions: readonly Session[]) {
    this.#parts = parts;
    this.#sessions = sessions;
  }

  /** @throws LimbeckError `model.exits` for a folder whose `exits.json` says nothing of the model; what `read` throws */
  static async open({ engine, read, model = 'onnx/model.onnx' }: EarlyExitsOptions): Promise<EarlyExits> {
    const parts = partsIn(textOf(await read(EXITS_FILE)), model);
    const sessions: Session[] = [];
    try {
      for (const { file } of parts) sessions.push(await engine.load(await read(file), { title: file }));
    } catch (error) {
      for (const session of sessions) await session.release();
      throw error;
    }
    return new EarlyExits(parts, sessions);
  }

  /** The least confidence by which a sample leaves at each exit, as they were chosen; null where none does. */
  get thresholds(): readonly (number | null)[] {
    return this.#parts.slice(0, -1).map(({ threshold }) => threshold);
  }

  /**
   * Answers a batch.
   *
   * @param inputs of the student, each with a row for each sample
   * @param thresholds others than those that were chosen: lower is faster
   */
  async run(
    inputs: Readonly<Record<string, Tensor>>,
    thresholds: readonly (number | null)[] = this.thresholds,
  ): Promise<EarlyAnswers> {
    const size = Object.values(inputs)[0]?.dims[0] ?? 0;
    const exit = new Int32Array(size);
    const confidence = new Float32Array(size);
    let logits: Tensor | undefined;
    let rows = Uint32Array.from({ length: size }, (_, row) => row);
    /** What is there for the samples that are left, by name. */
    let known = new Map<string, Known>(
      Object.entries(inputs).map(([name, value]) => [name, { value, rows: true }]),
    );
    for (const [i, part] of this.#parts.entries()) {
      const session = this.#sessions[i] as Session;
      const feeds = Object.fromEntries(
        session.inputNames.flatMap((name) => {
          const found = known.get(name);
          return found ? [[name, found.value]] : [];
        }),
      );
      const outputs = await session.run(feeds);
      const said = outputs.logits as Tensor;
      const sure = outputs.confidence?.data as Float32Array;
      const classes = said.dims[1] as number;
      logits ??= tensor('float32', [size, classes], new Float32Array(size * classes));
      const isLast = i === this.#parts.length - 1;
      const least = thresholds[i];
      const staying: number[] = [];
      for (const [place, row] of rows.entries()) {
        const own = sure[place] as number;
        if (!isLast && !(typeof least === 'number' && own >= least)) {
          staying.push(place);
          continue;
        }
        exit[row] = i + 1;
        confidence[row] = own;
        const answer = (said.data as Float32Array).subarray(place * classes, (place + 1) * classes);
        (logits.data as Float32Array).set(answer, row * classes);
      }
      if (staying.length === 0) break;
      for (const { name, rows: byRow } of part.gives)
        known.set(name, { value: outputs[name] as Tensor, rows: byRow });
      if (staying.length < rows.length) {
        known = new Map(
          [...known].map(([name, one]) => [
            name,
            one.rows ? { ...one, value: rowsOf(one.value, staying) } : one,
          ]),
        );
        rows = Uint32Array.from(staying, (place) => rows[place] as number);
      }
    }
    return { logits: logits ?? tensor('float32', [0, 0], new Float32Array(0)), confidence, exit };
  }

  async release(): Promise<void> {
    for (const session of this.#sessions) await session.release();
  }
}

interface Known {
  readonly value: Tensor;
  /** Whether its first axis is that of the samples. */
  readonly rows: boolean;
}

function partsIn(text: string, model: string): readonly PartOfExits[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    content = undefined;
  }
  const manifest = exitsManifestSchema.safeParse(content);
  const parts = manifest.data?.forms[model];
  if (parts) return parts;
  const known = Object.keys(manifest.data?.forms ?? {}).join(', ');
  throw new LimbeckError('model.exits', `the student's ${EXITS_FILE} tells of no parts of ${model}`, {
    where: EXITS_FILE,
    remedy: known
      ? `It has the parts of ${known}.`
      : 'Students that a recipe with exits (parts: true) has made have it.',
  });
}

/** Some rows of a tensor, by their places. */
function rowsOf({ type, dims, data }: Tensor, places: readonly number[]): Tensor {
  const [size = 0, ...rest] = dims;
  const length = size === 0 ? 0 : data.length / size;
  const Constructor = data.constructor as new (length: number) => Float32Array;
  const chosen = new Constructor(places.length * length);
  for (const [i, place] of places.entries()) {
    chosen.set((data as Float32Array).subarray(place * length, (place + 1) * length), i * length);
  }
  return tensor(type, [places.length, ...rest], chosen);
}
