import type { z } from 'zod';
import type { Graph } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { BackboneFeatures, FeatureKind } from '../targets/features.ts';
import type { GivenDecoder } from './decoder-parts.ts';
import type { TaughtText } from './least-squares-start.ts';
import type { ParameterMaker } from './parameters.ts';

/** A model that a student is made of: of a file, or its teacher's. Its inputs are those of the recipe's columns. */
export interface GivenModel {
  readonly graph: Graph;
  /** Initializers that are constants of the architecture, not weights. */
  readonly constants?: readonly string[] | undefined;
  /** Of a model that is cut to its size already: the value that heads attach to. */
  readonly attach?: string | undefined;
  /** Of a language model: its parts, of which it is built again. */
  readonly decoder?: GivenDecoder | undefined;
}

/** The towers that a student of texts and images is made of, each with its vector as the only output. */
export interface GivenTowers {
  readonly text: GivenModel;
  readonly image: GivenModel;
}

/** What a backbone over tokens has to fit. */
export interface TextInputs {
  readonly vocabularySize: number;
  /** Tokens in the longest text. */
  readonly maxLength: number;
  /** The tokens of each training text, for what a student measures on them before it learns; none when absent. */
  readonly trainingTexts?: Iterable<ArrayLike<number>>;
  /** Whether texts are pairs: then `token_type_ids` is an input, 0 for the first of both and 1 for the second. */
  readonly pairs?: boolean;
  readonly given?: GivenModel | undefined;
}

/** What a backbone over images has to fit. */
export interface ImageInputs {
  readonly channels: number;
  /** Pixels. */
  readonly height: number;
  readonly width: number;
  readonly given?: GivenModel | undefined;
}

/** What a backbone over waveforms has to fit. */
export interface AudioInputs {
  /** Hz. */
  readonly samplingRate: number;
  /** Samples in a window; absent where windows have any length (`samples` is then symbolic). */
  readonly samples?: number;
}

/** A tower that is given, and not trained: its graph, and the output float32 [batch, width] that is taken of it. */
export interface FrozenTower {
  readonly graph: Graph;
  readonly output: string;
}

/** What a backbone over texts and images has to fit. */
export interface TextAndImageInputs {
  readonly text: TextInputs;
  readonly image: ImageInputs;
  /** The teacher's text tower, where there is one. */
  readonly frozen?: FrozenTower | undefined;
  readonly given?: GivenTowers | undefined;
}

/** What each modality tells a backbone of its columns. */
export interface ModelInputs {
  readonly text: TextInputs;
  readonly image: ImageInputs;
  readonly audio: AudioInputs;
  readonly 'text+image': TextAndImageInputs;
}
export type ModalityName = keyof ModelInputs;

/**
 * A student's body: inputs in, features out, to which heads attach. An entry of the registry (`index.ts`).
 *
 * `build` declares the model's inputs as transformers names them: `input_ids` and `attention_mask`, int64
 * [batch, sequence]; `pixel_values`, float32 [batch, channels, height, width]; `input_values`, float32 [batch, samples].
 * Batch and sequence sizes are symbolic. It is the training form: batch normalisations use the batch's statistics.
 */
export interface Backbone<Options extends z.ZodObject = z.ZodObject, M extends ModalityName = ModalityName> {
  readonly kind: string;
  /** The recipe's options, with defaults and descriptions. */
  readonly options: Options;
  /** The modalities that it reads. */
  readonly accepts: readonly M[];
  /** What `build` has features of, so that a recipe that wants others is refused before anything is read; told by `build` alone when absent. */
  readonly features?: readonly FeatureKind[];
  build(
    g: GraphBuilder,
    make: ParameterMaker,
    options: z.output<Options>,
    inputs: ModelInputs[M],
  ): BackboneFeatures;
  /**
   * First contents of parameters, by name, that are better than drawn ones: from what a teacher says of the training texts.
   * Absent for most; empty where the options want none.
   */
  start?(
    options: z.output<Options>,
    inputs: ModelInputs[M],
    taught: TaughtVectors,
  ): ReadonlyMap<string, Float32Array>;
}

/** The vectors that a teacher gives training texts, and the linear layer that leads to them. */
export interface TaughtVectors {
  readonly outputs: number;
  /** Of the layer's parameters: `SCOPE/weight` [width, outputs] and `SCOPE/bias`. */
  readonly scope: string;
  readonly texts: Iterable<TaughtText>;
}

/** Lets `build` be typed by the options and the modality beside it. */
export function defineBackbone<
  Kind extends string,
  Options extends z.ZodObject,
  const M extends ModalityName,
>(backbone: Backbone<Options, M> & { readonly kind: Kind }): Backbone<Options, M> & { readonly kind: Kind } {
  return backbone;
}
