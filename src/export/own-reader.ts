import { ATTENTION_MASK, INPUT_VALUES } from '../data/columns.ts';
import { standardized } from '../data/modalities/audio/window.ts';
import { parseTokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import type { Engine } from '../engine/engine.ts';
import { withoutPast } from '../generate/without-past.ts';
import { openModelFile } from '../onnx/node-files.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { existsSync } from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import { readSettingsAsync, readSettingsJson } from '../settings-file.ts';
import { PIXEL_INPUT } from './image-channels.ts';
import { hasWriterFile } from './is-writer.ts';
import { CONFIG_FILE } from './package-folder.ts';
import { fileOf } from './precisions.ts';
import type { ReaderAnswer, ReaderInput, ReaderKind, ShippedFile, ShippedReader } from './shipped-reader.ts';

type Feeds = Record<string, Tensor>;

/**
 * Reads a shipped folder as transformers.js does, for where that is not installed: the tokenizer of the shipped files,
 * cut and padded by what tokenizer_config.json says, or the pixels by preprocessor_config.json; the model; the names of
 * config.json. Nothing that the run knows is used.
 */
export function ownReader(engine: Pick<Engine, 'load'>): ReaderKind {
  return {
    title: "Limbeck's own reader",
    async open({ folder, task, precision, threads }): Promise<ShippedReader> {
      const { id2label } = readJson(folder, CONFIG_FILE) as { id2label: Record<string, string> };
      const prepare = await (PREPARATIONS[task] ?? imageInputs)(folder);
      const session = await engine.load(join(folder, fileOf(precision)), { threads });
      return {
        async classify(inputs) {
          const { logits } = await session.run(prepare(inputs), { logits: null });
          return likeliest(logits as Tensor, id2label);
        },
        close: () => session.release(),
      };
    },
  };
}

/** What a reader answers to a batch: outputs by name, and the place of the first token of each row (0 where there are no tokens). */
export interface ReadOutputs {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly starts: readonly number[];
}

/** One model file of a shipped folder, read as `ownReader` does: its outputs as they are, by name. */
export async function openAnswers(
  engine: Pick<Engine, 'load'>,
  { folder, precision, threads }: Pick<ShippedFile, 'folder' | 'precision' | 'threads'>,
): Promise<{
  answers(inputs: readonly ReaderInput[]): Promise<ReadOutputs>;
  close(): Promise<void>;
}> {
  const prepare = await preparationOf(folder)(folder);
  const file = join(folder, fileOf(precision));
  const session = hasWriterFile(file)
    ? await openWriting(engine, file, threads)
    : withoutPast(await engine.load(file, { threads }));
  return {
    async answers(inputs) {
      const feeds = prepare(inputs);
      return { outputs: await session.run(feeds), starts: startsOf(feeds[ATTENTION_MASK], inputs.length) };
    },
    close: () => session.release(),
  };
}

/** Loaded where it is used: pages do not pay for it. */
async function openWriting(engine: Pick<Engine, 'load'>, file: string, threads: number) {
  const { openWriter } = await import('./open-writer.ts');
  return openWriter(engine, file, openModelFile(file).graph, { threads });
}

function startsOf(mask: Tensor | undefined, rows: number): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const length = mask?.dims[1] ?? 0;
    const own = (mask?.data as BigInt64Array | undefined)?.subarray(row * length, (row + 1) * length);
    return Math.max(0, own?.indexOf(1n) ?? 0);
  });
}

/** How a folder's inputs are prepared, as its files say. */
function preparationOf(folder: string): typeof textInputs {
  if (existsSync(join(folder, 'tokenizer.json'))) return textInputs;
  return 'feature_extractor_type' in readJson(folder, 'preprocessor_config.json') ? audioInputs : imageInputs;
}

async function textInputs(folder: string): Promise<(inputs: readonly ReaderInput[]) => Feeds> {
  const read = (name: string) => readSettingsAsync(join(folder, name));
  const tokenizer = parseTokenizer(await read('tokenizer.json'), await read('tokenizer_config.json'), folder);
  const config = readJson(folder, 'tokenizer_config.json') as {
    model_max_length?: number;
    pad_token?: unknown;
    padding_side?: string;
  };
  // Others might find a padding token elsewhere; transformers.js reads it here.
  if (typeof config.pad_token !== 'string') throw new Error('tokenizer_config.json names no padding token');
  return (inputs) => {
    const rows = inputs.map((input) => {
      const { text, pair } = input as Extract<ReaderInput, { text: string }>;
      return tokenizer.encodeByLibrary(text, pair).slice(0, config.model_max_length);
    });
    const length = Math.max(...rows.map((row) => row.length));
    const size = [rows.length, length];
    const ids = new BigInt64Array(rows.length * length).fill(BigInt(tokenizer.padId));
    const mask = new BigInt64Array(rows.length * length);
    rows.forEach((row, r) => {
      const start = r * length + (config.padding_side === 'left' ? length - row.length : 0);
      ids.set(row.map(BigInt), start);
      mask.fill(1n, start, start + row.length);
    });
    return { input_ids: tensor('int64', size, ids), attention_mask: tensor('int64', size, mask) };
  };
}

interface Preprocessing {
  rescale_factor: number;
  image_mean: number[];
  image_std: number[];
}

async function imageInputs(folder: string): Promise<(inputs: readonly ReaderInput[]) => Feeds> {
  const { rescale_factor, image_mean, image_std } = readJson(
    folder,
    'preprocessor_config.json',
  ) as unknown as Preprocessing;
  const channels = image_mean.length;
  return (inputs) => {
    const images = inputs as readonly Extract<ReaderInput, { pixels: Uint8Array }>[];
    const [own, height, width] = images[0]?.dims ?? [channels, 0, 0];
    const plane = height * width;
    const values = new Float32Array(images.length * channels * plane);
    images.forEach(({ pixels }, row) => {
      for (let channel = 0; channel < channels; channel++) {
        const [mean, deviation] = [image_mean[channel] as number, image_std[channel] as number];
        const from = (channel % own) * plane;
        const to = (row * channels + channel) * plane;
        for (let place = 0; place < plane; place++)
          values[to + place] = ((pixels[from + place] as number) * rescale_factor - mean) / deviation;
      }
    });
    return { [PIXEL_INPUT]: tensor('float32', [images.length, channels, height, width], values) };
  };
}

/** Waveforms of one length, as Wav2Vec2FeatureExtractor gives them. */
async function audioInputs(folder: string): Promise<(inputs: readonly ReaderInput[]) => Feeds> {
  const { do_normalize } = readJson(folder, 'preprocessor_config.json');
  return (inputs) => {
    const rows = inputs.map((input) => (input as { waveform: Float32Array }).waveform);
    const samples = rows[0]?.length ?? 0;
    const values = new Float32Array(rows.length * samples);
    rows.forEach((waveform, row) => {
      values.set(do_normalize === true ? standardized(waveform) : waveform, row * samples);
    });
    return { [INPUT_VALUES]: tensor('float32', [rows.length, samples], values) };
  };
}

const PREPARATIONS: Readonly<Record<string, typeof textInputs>> = {
  'text-classification': textInputs,
  'audio-classification': audioInputs,
};

/** The likeliest class of each row, and its probability. */
export function likeliest(
  { data, dims }: Pick<Tensor, 'data' | 'dims'>,
  id2label: Readonly<Record<string, string>>,
): ReaderAnswer[] {
  const [rows, classes] = dims as [number, number];
  return Array.from({ length: rows }, (_, row) => {
    const values = (data as Float32Array).subarray(row * classes, (row + 1) * classes);
    const best = values.reduce((a, value, i) => (value > (values[a] as number) ? i : a), 0);
    const sum = values.reduce((total, value) => total + Math.exp(value - (values[best] as number)), 0);
    return { label: id2label[best] ?? `LABEL_${best}`, score: 1 / sum };
  });
}

function readJson(folder: string, name: string): Record<string, unknown> {
  return readSettingsJson(join(folder, name)) as Record<string, unknown>;
}
