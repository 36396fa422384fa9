import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { writeError } from '../replace-file.ts';

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
  /** tokenizer.json and tokenizer_config.json. */
  readonly tokenizerFiles: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Where the files are, relative to the package's folder. */
export const MODEL_FILE = 'onnx/model.onnx';
export const QUANTIZED_FILE = 'onnx/model_quantized.onnx';
const CONFIG_FILE = 'config.json';

/**
 * Writes a student in the layout that transformers.js and the Hugging Face hub expect: `config.json`, the tokenizer's
 * files, `onnx/model.onnx` and `onnx/model_quantized.onnx`. The folder is replaced as a whole; its README.md comes
 * later, when the measurements are in. Throws LimbeckError `export.disk-full` or `export.write` (or `model.…`, for the
 * models) when it cannot be written; what was there before then stays.
 */
export function writeTextClassifier(folder: string, content: TextClassifierPackage): void {
  const partial = `${folder}.partial`;
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(join(partial, dirname(MODEL_FILE)), { recursive: true });
    writeModelFile(join(partial, MODEL_FILE), content.model);
    if (content.quantized) writeModelFile(join(partial, QUANTIZED_FILE), content.quantized);
    for (const { name, bytes } of content.tokenizerFiles) writeFileSync(join(partial, name), bytes);
    writeFileSync(join(partial, CONFIG_FILE), `${JSON.stringify(textClassifierConfig(content), null, 2)}\n`);
    replaceFolder(partial, folder);
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw writeError(folder, cause, 'export');
  }
}

/**
 * Puts `partial` in the place of `folder`. The old one goes only when the new one is there: what a kill in between
 * leaves is both, under other names.
 */
function replaceFolder(partial: string, folder: string): void {
  const old = `${folder}.old`;
  if (existsSync(folder)) {
    rmSync(old, { recursive: true, force: true });
    renameSync(folder, old);
  }
  try {
    renameSync(partial, folder);
  } catch (cause) {
    if (existsSync(old)) renameSync(old, folder);
    throw cause;
  }
  rmSync(old, { recursive: true, force: true });
}

/** Whether a package is there with the files that it cannot do without. */
export function isTextClassifier(folder: string, { quantized }: { quantized: boolean }): boolean {
  const files = ['README.md', CONFIG_FILE, MODEL_FILE, ...(quantized ? [QUANTIZED_FILE] : [])];
  return files.every((name) => existsSync(join(folder, name)));
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
    id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    num_labels: labels.length,
    vocab_size: content.vocabularySize,
    pad_token_id: content.padTokenId,
    max_position_embeddings: content.maxLength,
    limbeck: { architecture: content.architecture },
  };
}

/** Bytes of a model file on disk. */
export function modelBytes(path: string): number {
  return statSync(path).size;
}
