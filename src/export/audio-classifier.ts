import type { Graph } from '../onnx/graph.ts';
import { withAnyLength, withOpenLength } from './audio-window.ts';
import {
  additionAs,
  CONFIG_FILE,
  jsonFile,
  modelsAs,
  type PackageAddition,
  type PackageFile,
  writePackage,
} from './package-folder.ts';
import type { ByPrecision } from './precisions.ts';
import { wav2vec2Sizes } from './wav2vec2-sizes.ts';

/** A classifier of audio that is to leave in the layout of the Hugging Face hub. */
export interface AudioClassifierPackage {
  /** Input `input_values`, float32 [batch, samples], output `logits`: [batch, classes], or [batch, frames, classes]. */
  readonly model: Graph;
  /** The same in int8, or null. */
  readonly quantized: Graph | null;
  /** The same in further precisions. */
  readonly further?: ByPrecision<Graph> | undefined;
  readonly addition?: PackageAddition | undefined;
  /** The student's kind, as in the recipe. */
  readonly architecture: string;
  /** What the main output is read with, as its target says it: `problem_type`, `id2label`. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** What the outputs are read with, by name, where there are several. */
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
  /** Samples of a window. */
  readonly samples: number;
  /** Whether each frame has a class; then audio of any length is heard as it is. */
  readonly isByFrame: boolean;
  /** Of the modality: `preprocessor_config.json`. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * Writes a classifier of audio in the layout that transformers.js and the Hugging Face hub expect: `config.json`,
 * `preprocessor_config.json` and the models. Throws as `writePackage`.
 */
export function writeAudioClassifier(folder: string, content: AudioClassifierPackage): void {
  const { samples, isByFrame, files } = content;
  const shipped = (graph: Graph) => (isByFrame ? withOpenLength(graph) : withAnyLength(graph, samples));
  // Of a model in parts the first one alone hears the audio.
  const added = additionAs(content.addition, (part) =>
    part.inputs.some(({ name }) => name === 'input_values') ? shipped(part) : part,
  );
  writePackage(
    folder,
    modelsAs(content, shipped),
    [
      jsonFile(CONFIG_FILE, audioClassifierConfig(content)),
      ...Object.entries(files).map(([name, bytes]): PackageFile => ({ name, bytes })),
      ...added.files,
    ],
    added.models,
  );
}

/** `config.json` of a classifier of audio. */
function audioClassifierConfig({
  model,
  answer,
  outputs,
  architecture,
  isByFrame,
}: AudioClassifierPackage): Record<string, unknown> {
  return {
    // transformers.js chooses the class that runs a model by `model_type`, from a fixed list. That of Wav2Vec2 feeds
    // `input_values` and reads `logits`, whatever the network is.
    ...(architecture === 'wav2vec2' ? wav2vec2Sizes(model) : { model_type: 'wav2vec2' }),
    architectures: [isByFrame ? 'Wav2Vec2ForAudioFrameClassification' : 'Wav2Vec2ForSequenceClassification'],
    ...answer,
    limbeck: { architecture, ...(outputs && { outputs }) },
  };
}
