import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import { hasWriterFile, writerFileOf } from '../export/is-writer.ts';
import { openWriter } from '../export/open-writer.ts';
import { fileOf, PRECISIONS, type Precision } from '../export/precisions.ts';
import { openModelFile } from '../onnx/node-files.ts';
import type { Tensor } from '../onnx/tensor.ts';
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
 * @throws LimbeckError `model.not-found` for a folder without such a student, what loading it throws
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
  const session = await openWriter(engine, file, openModelFile(file).graph);
  const written = writtenOutput(facts.output);
  return {
    async read(pixelValues) {
      const { [written]: told, ...outputs } = await session.run({ pixel_values: pixelValues });
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
