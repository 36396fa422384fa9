import type { Preprocessing } from '../data/modalities/image/preprocessing.ts';
import type { Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';
import type { Graph } from '../onnx/graph.ts';
import type { PixelForm } from './image-preprocessing.ts';
import type { TeacherClasses } from './teacher-classes.ts';

/** A model of a hub, and its licence as the hub spells it; absent where nothing says it. */
export interface TeacherLicence {
  readonly model: string;
  readonly license?: string;
}

/** A model that can teach, opened. */
export interface TeacherSource {
  /** For people: `Universal Sentence Encoder lite`. */
  readonly title: string;
  readonly model: Graph;
  /** The ONNX file that was opened, where there is one. */
  readonly file?: string;
  /** The output that holds a score a class, float32 [batch, classes], when the model is a classifier already. */
  readonly logitsOutput?: string;
  /** What was assumed of the model, or changed in it: told when a run begins. */
  readonly notes?: readonly string[];
  /** What a person should do before a run begins: told by checks, too. */
  readonly advice?: readonly string[];
  /** Of models of a hub, which the student's licence may depend on. */
  readonly licences?: readonly TeacherLicence[];
  /** Where it comes from, and what it is: told when a run begins, for the record. */
  readonly origin?: readonly string[];
  /** Which class each of these scores is, where a file or the recipe says so. */
  readonly classes?: TeacherClasses;
}

/**
 * A model over texts: its inputs are `input_ids` and `attention_mask`, int64 [batch, sequence], both sizes symbolic
 * under these names.
 */
export interface TextTeacherSource extends TeacherSource {
  readonly tokenizer: Tokenizer;
  /** Texts are cut to so many tokens. */
  readonly maxLength: number;
  /** Goes before each text that it reads; none where it is absent or empty. */
  readonly prompt?: string;
  /** Whether its model leaves the tokens of that prompt out of its vector: it then reads no text without it. */
  readonly skipsPrompt?: boolean;
  /** The output that holds a vector a text, float32 [batch, embeddingWidth], for a head to be trained on. */
  readonly embeddingOutput?: string;
  readonly embeddingWidth?: number;
  /** Initializers that are constants of the architecture, not weights: never trained. */
  readonly constants?: readonly string[];
}

/** A classifier of images: its input is `pixel_values`, float32 [batch, channels, height, width]. */
export interface ImageTeacherSource extends TeacherSource {
  /** [channels, height, width]; undefined for sizes that the model leaves open. */
  readonly dims: readonly (number | undefined)[];
  /** How it wants its pixels; as the data are normalised when absent. */
  readonly pixels?: PixelForm;
  /** How it makes its images, where its size is known. */
  readonly preprocessing?: Preprocessing;
}

/** A classifier of audio: its input is `input_values`, float32 [batch, samples]. */
export interface AudioTeacherSource extends TeacherSource {
  /** Samples a second that it hears; as the data where nobody says it. */
  readonly rate?: number;
  /** Whether it wants waveforms of mean 0 and deviation 1; as the data where nobody says it. */
  readonly isNormalized?: boolean;
  /** How many samples it hears, where that is not left open. */
  readonly samples?: number;
  /** What windows have to be multiples of. */
  readonly wholeFrames?: number;
  /** The model for windows of so many samples, where it differs by that. */
  modelFor?(samples: number): Graph;
}

/** The names that text models have for their inputs and outputs, as transformers gives them. */
export { ATTENTION_MASK, INPUT_IDS, PIXEL_VALUES } from '../data/columns.ts';
export const TOKEN_TYPE_IDS = 'token_type_ids';
export const POSITION_IDS = 'position_ids';
export const SENTENCE_EMBEDDING = 'sentence_embedding';
export const LOGITS = 'logits';
