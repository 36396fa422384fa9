import type { Tokenizer } from '../data/tokenizer.ts';
import type { Graph } from '../onnx/graph.ts';

/** A model that can teach, opened: its graph, and how texts become its inputs. */
export interface TeacherSource {
  /** For people: `Universal Sentence Encoder lite`. */
  readonly title: string;
  /** Inputs `input_ids` and `attention_mask`, int64 [batch, sequence], both sizes symbolic under these names. */
  readonly model: Graph;
  readonly tokenizer: Tokenizer;
  /** Texts are cut to so many tokens. */
  readonly maxLength: number;
  /** The output that holds a vector a text, float32 [batch, embeddingWidth], for a head to be trained on. */
  readonly embeddingOutput?: string;
  readonly embeddingWidth?: number;
  /** Initializers that are constants of the architecture, not weights: never trained. */
  readonly constants?: readonly string[];
  /** The output that holds a score a class, float32 [batch, classes], when the model is a classifier already. */
  readonly logitsOutput?: string;
}

/** The names that text models have for their inputs and outputs, as transformers gives them. */
export const INPUT_IDS = 'input_ids';
export const ATTENTION_MASK = 'attention_mask';
export const TOKEN_TYPE_IDS = 'token_type_ids';
export const SENTENCE_EMBEDDING = 'sentence_embedding';
export const LOGITS = 'logits';
