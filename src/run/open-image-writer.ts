import { PIXEL_VALUES } from '../data/columns.ts';
import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import { hasWriterFile, writerFileOf } from '../export/is-writer.ts';
import { openWriter } from '../export/open-writer.ts';
import { fileOf, PRECISIONS, type Precision } from '../export/precisions.ts';
import type { Dim } from '../onnx/graph.ts';
import { openModelFile } from '../onnx/node-files.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { existsSync } from '../platform/files.ts';
import { join, resolve } from '../platform/paths.ts';
import { writtenOutput } from '../targets/head.ts';
import { writtenSentence } from '../targets/sentence-words.ts';
import { writerFacts } from '../targets/writer-facts.ts';

export interface OpenImageWriterOptions {
  /** onnxruntime-node by default. */
  readonly engine?: Pick<Engine, 'load'> | undefined;
  /** Which of the student's files are run; float32 by default. */
  readonly precision?: Precision | undefined;
}

/** What a student says of some images. */
export interface ImageAnswers {
  /** A sentence for each image. */
  readonly sentences: readonly string[];
  /** Its other outputs, by name. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

export interface ImageWriter {
  /** @param pixelValues float32 [batch, channels, height, width], normalised as preprocessor_config.json says */
  read(pixelValues: Tensor): Promise<ImageAnswers>;
  release(): Promise<void>;
}

/**
 * Opens a student that writes sentences about images (`target: sentence`), with its other outputs.
 *
 * @param target a run's folder, or its student's
 * @example
 * const writer = await openImageWriter('runs/scenes', { precision: 'int8' });
 * const { sentences, outputs } = await writer.read(pixelValues);
 * await writer.release();
 * @throws LimbeckError `model.not-found` for a folder without such a student, what loading it throws; `read` throws `model.inputs` for
 *   pixels of other sizes, of another type, or that are no numbers
 */
export async function openImageWriter(
  target: string,
  { engine = createNodeEngine(), precision = 'f32' }: OpenImageWriterOptions = {},
): Promise<ImageWriter> {
  if (!Object.hasOwn(PRECISIONS, precision)) {
    throw new LimbeckError('model.not-found', `there is no precision '${precision}'`, {
      where: 'precision',
      remedy: `Give one of ${Object.keys(PRECISIONS).join(', ')}.`,
    });
  }
  const own = resolve(target);
  const folder = existsSync(join(own, 'student')) ? join(own, 'student') : own;
  const file = join(folder, fileOf(precision));
  const facts = hasWriterFile(file) ? writerFacts(openModelFile(writerFileOf(file)).graph) : undefined;
  if (!existsSync(file) || !facts) {
    throw new LimbeckError('model.not-found', 'the folder has no student that writes about images', {
      where: `${file}, ${writerFileOf(file)}`,
      remedy:
        'Give the folder of a run with an output of target: sentence, and a precision in which it ships.',
    });
  }
  const { graph } = openModelFile(file);
  const wanted = graph.inputs.find(({ name }) => name === PIXEL_VALUES)?.shape;
  const session = await openWriter(engine, file, graph);
  const written = writtenOutput(facts.output);
  return {
    async read(pixelValues) {
      requirePixels(pixelValues, wanted, file);
      const { [written]: told, ...outputs } = await session.run({ [PIXEL_VALUES]: pixelValues });
      const { data, dims } = told as Tensor;
      const [rows, length] = dims as [number, number];
      const sentences = Array.from({ length: rows }, (_, row) =>
        writtenSentence((data as Int32Array).subarray(row * length, (row + 1) * length), facts.words),
      );
      return { sentences, outputs };
    },
    release: () => session.release(),
  };
}

/** @throws LimbeckError `model.inputs` */
function requirePixels(pixels: Tensor, wanted: readonly Dim[] | undefined, file: string): void {
  const shown = (dims: readonly Dim[]) => `[${dims.join(', ')}]`;
  const sizes = (wanted ?? []).map((size, axis) => (typeof size === 'number' ? size : pixels.dims[axis]));
  const fits =
    !wanted ||
    (pixels.dims.length === wanted.length && sizes.every((size, axis) => size === pixels.dims[axis]));
  const values = elementCount(pixels.dims);
  const problem =
    pixels.type !== 'float32'
      ? `the pixels are ${pixels.type}, not float32`
      : !fits || pixels.dims[0] === 0
        ? `the pixels are ${shown(pixels.dims)}, and the model reads ${shown(wanted ?? [])}`
        : pixels.data.length !== values
          ? `the pixels are ${pixels.data.length} numbers, and ${shown(pixels.dims)} are ${values}`
          : (pixels.data as Float32Array).every(Number.isFinite)
            ? undefined
            : 'the pixels have values that are no numbers';
  if (problem === undefined) return;
  throw new LimbeckError('model.inputs', problem, {
    where: file,
    remedy:
      'Give float32 pixels [batch, channels, height, width], resized and normalised as preprocessor_config.json beside the model says.',
  });
}
