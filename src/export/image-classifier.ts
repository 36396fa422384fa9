import type { ChannelMoments } from '../data/modalities/image/channel-moments.ts';
import type { Graph } from '../onnx/graph.ts';
import { imageChannels, withColourInput } from './image-channels.ts';
import {
  additionAs,
  CONFIG_FILE,
  jsonFile,
  modelsAs,
  type PackageAddition,
  writePackage,
} from './package-folder.ts';
import type { ByPrecision } from './precisions.ts';
import { residualSizes } from './residual-sizes.ts';
import { givenVitSizes, vitSizes } from './transformer-sizes.ts';

/** An image classifier that is to leave in the layout of the Hugging Face hub. */
export interface ImageClassifierPackage {
  /** Input `pixel_values`, float32 [batch, 1 or 3, height, width], output `logits`. */
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
  /** [channels, height, width] of the training images. */
  readonly dims: readonly [number, number, number];
  readonly normalization: ChannelMoments;
  /**
   * The content of preprocessor_config.json, of the modality that resized the training images; when absent they are stretched to
   * their size.
   */
  readonly preprocessor?: Uint8Array | undefined;
  /** What the outputs are read with, by name, of a model with others than one class a sample. */
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
}

const PREPROCESSOR_FILE = 'preprocessor_config.json';
/** PIL's number for bilinear interpolation, as preprocessor files have it. */
const BILINEAR = 2;

/**
 * Writes an image classifier in the layout that transformers.js and the Hugging Face hub expect: `config.json`,
 * `preprocessor_config.json` and the models. A model of grey images ships as one of colour images that makes them grey
 * (`withColourInput`). Throws as `writePackage`.
 */
export function writeImageClassifier(folder: string, content: ImageClassifierPackage): void {
  const shipped = content.dims[0] === 1 ? inColour(content) : content;
  const { models, files } = additionAs(shipped.addition, (model) => model);
  writePackage(
    folder,
    shipped,
    [
      jsonFile(CONFIG_FILE, imageClassifierConfig(shipped)),
      content.preprocessor
        ? { name: PREPROCESSOR_FILE, bytes: content.preprocessor }
        : jsonFile(PREPROCESSOR_FILE, preprocessorConfig(shipped)),
      ...files,
    ],
    models,
  );
}

function inColour(content: ImageClassifierPackage): ImageClassifierPackage {
  const { dims, normalization } = content;
  const [, height, width] = dims;
  const threeTimes = ([value]: readonly number[]) => [value, value, value] as number[];
  return {
    ...content,
    ...modelsAs(content, withColourInput),
    // Of a model in parts the first one alone reads the image.
    addition: additionAs(content.addition, (part) =>
      imageChannels(part) === undefined ? part : withColourInput(part),
    ),
    dims: [3, height, width],
    normalization: {
      mean: threeTimes(normalization.mean),
      deviation: threeTimes(normalization.deviation),
    },
  };
}

function imageClassifierConfig({
  answer,
  dims,
  architecture,
  model,
  outputs,
}: ImageClassifierPackage): Record<string, unknown> {
  const [channels, height, width] = dims;
  const vit = architecture === 'vit' ? vitSizes(model) : givenVitSizes(model);
  return {
    // transformers.js chooses the class that runs a model by `model_type`, from a fixed list. ResNet's is one that
    // feeds `pixel_values` and reads `logits`, whatever the network is.
    ...(vit
      ? { architectures: ['ViTForImageClassification'], ...vit }
      : { architectures: ['ResNetForImageClassification'], ...residualSizes(model) }),
    ...answer,
    num_channels: channels,
    image_size: height === width ? height : [height, width],
    limbeck: { architecture, ...(outputs && { outputs }) },
  };
}

/** What happens to an image before the model: to its size, to [0, 1], to mean 0 and deviation 1. */
function preprocessorConfig({ dims, normalization }: ImageClassifierPackage): Record<string, unknown> {
  const [, height, width] = dims;
  return {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { height, width },
    resample: BILINEAR,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: normalization.mean,
    image_std: normalization.deviation,
    do_convert_rgb: true,
  };
}
