import type { Graph } from '../onnx/graph.ts';
import { withKeptEnd } from './kept-end.ts';
import { CONFIG_FILE, classNames, jsonFile, type PackageFile, writePackage } from './package-folder.ts';

/** A text classifier that is to leave in the layout of the Hugging Face hub. */
export interface TextClassifierPackage {
  /** Inputs `input_ids` and `attention_mask`, output `logits`; float32. */
  readonly model: Graph;
  /** The same in int8, or null. */
  readonly quantized: Graph | null;
  /** The student's kind, as in the recipe. */
  readonly architecture: string;
  readonly labels: readonly string[];
  readonly vocabularySize: number;
  readonly padTokenId: number;
  readonly maxLength: number;
  /** The special tokens that end every text, where it is cut too. */
  readonly endIds: readonly number[];
  /** tokenizer.json and tokenizer_config.json. */
  readonly tokenizerFiles: readonly PackageFile[];
}

/**
 * Writes a text classifier in the layout that transformers.js and the Hugging Face hub expect: `config.json`, the
 * tokenizer's files and the models. Throws as `writePackage`.
 */
export function writeTextClassifier(folder: string, content: TextClassifierPackage): void {
  const { model, quantized } = content;
  const models = {
    model: withKeptEnd(model, content),
    quantized: quantized && withKeptEnd(quantized, content),
  };
  writePackage(folder, models, [
    ...content.tokenizerFiles,
    jsonFile(CONFIG_FILE, textClassifierConfig(content)),
  ]);
}

/** The content of `config.json`. */
function textClassifierConfig(content: TextClassifierPackage): Record<string, unknown> {
  const { labels } = content;
  return {
    // transformers.js chooses the class that runs a model by `model_type`, from a fixed list, and feeds it by the
    // model's own input names. DistilBERT's is the one that has exactly our inputs (no token types).
    model_type: 'distilbert',
    architectures: ['DistilBertForSequenceClassification'],
    problem_type: 'single_label_classification',
    ...classNames(labels),
    vocab_size: content.vocabularySize,
    pad_token_id: content.padTokenId,
    max_position_embeddings: content.maxLength,
    limbeck: { architecture: content.architecture },
  };
}
