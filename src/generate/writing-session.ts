import type { Session } from '../engine/engine.ts';
import { type Tensor, tensor, zeros } from '../onnx/tensor.ts';
import { writtenOutput } from '../targets/head.ts';
import { BEGIN, END, PAD } from '../targets/sentence-words.ts';
import type { WriterFacts } from '../targets/writer-facts.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** What words look at of the image. */
const IMAGE_PART = /^image\.\d+\.(?:key|value)$/;
const PAST = /^past_key_values\./;

/**
 * The two parts of a model that writes (`splitWriter`) as one session: outputs of the part that looks; the logits of words after the
 * true ones before each, where these are fed; and `OUTPUT/written`, int32 [batch, length]: the likeliest word after each that was
 * written, up to the end (0 behind it). Asked for nothing by name, it looks and writes, as people do.
 */
export function writingSession(
  encoder: Session,
  decoder: Session,
  { output, input, length }: WriterFacts,
): Session {
  const written = writtenOutput(output);
  const parts = encoder.outputNames.filter((name) => IMAGE_PART.test(name));
  const looked = encoder.outputNames.filter((name) => !IMAGE_PART.test(name));
  const pasts = (decoder.inputMetadata ?? []).filter(({ name }) => PAST.test(name));
  return {
    inputNames: [...encoder.inputNames, input],
    outputNames: [...looked, output, written],
    ...(encoder.inputMetadata && { inputMetadata: encoder.inputMetadata }),
    async run(feeds, fetches) {
      const wanted = fetches && Object.keys(fetches).length > 0 ? Object.keys(fetches) : [...looked, written];
      const writes = wanted.includes(written) || wanted.includes(output);
      const asked = [...wanted.filter((name) => looked.includes(name)), ...(writes ? parts : [])];
      const own = Object.fromEntries(encoder.inputNames.map((name) => [name, feeds[name] as Tensor]));
      const said = await encoder.run(own, nothingFor(asked));
      const [states, answers] = [pick(said, parts), pick(said, looked)];
      if (wanted.includes(output))
        answers[output] = (await read(feeds[input] as Tensor, states, {})).logits as Tensor;
      if (wanted.includes(written)) answers[written] = await write(states, rowsOf(own));
      return answers;
    },
    async release() {
      await encoder.release();
      await decoder.release();
    },
  };

  /** Reads words behind those that were read; `past` is none before the first. */
  function read(words: Tensor, states: Tensors, past: Tensors): Promise<Record<string, Tensor>> {
    const [rows] = words.dims as [number];
    const before = Object.fromEntries(
      pasts.map(({ name, shape }) => {
        const [, heads, , size] = shape as number[];
        const none = () => zeros('float32', [rows, heads as number, 0, size as number]);
        return [name, past[name.replace(PAST, 'present.')] ?? none()];
      }),
    );
    return decoder.run({ input_ids: words, ...states, ...before });
  }

  async function write(states: Tensors, rows: number): Promise<Tensor> {
    const all = new Int32Array(rows * length).fill(PAD);
    let last = new Int32Array(rows).fill(BEGIN);
    let past: Tensors = {};
    for (let place = 0; place < length; place++) {
      const ids = tensor('int64', [rows, 1], BigInt64Array.from(last, BigInt));
      const { logits, ...kept } = await read(ids, states, past);
      past = kept;
      last = likeliest(logits as Tensor, last);
      for (let row = 0; row < rows; row++) all[row * length + place] = last[row] as number;
      if (last.every((word) => word === END || word === PAD)) break;
    }
    return tensor('int32', [rows, length], all);
  }
}

/** The likeliest word of each row that is not done yet; an unknown one is never written. */
function likeliest({ data, dims }: Tensor, last: Int32Array): Int32Array<ArrayBuffer> {
  const count = dims.at(-1) as number;
  return Int32Array.from(last, (before, row) => {
    if (before === END || before === PAD) return PAD;
    const logits = (data as Float32Array).subarray(row * count, (row + 1) * count);
    let best = END;
    for (let word = END + 1; word < count; word++)
      if ((logits[word] as number) > (logits[best] as number)) best = word;
    return best;
  });
}

function pick(tensors: Tensors, names: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => names.includes(name)));
}

function rowsOf(feeds: Tensors): number {
  return Object.values(feeds)[0]?.dims[0] ?? 0;
}

function nothingFor(names: readonly string[]): Record<string, null> {
  return Object.fromEntries(names.map((name) => [name, null]));
}
