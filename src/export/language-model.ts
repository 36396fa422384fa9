import type { Graph } from '../onnx/graph.ts';
import { withKeyValueCache } from '../students/key-value-cache.ts';
import {
  type DecoderArchitecture,
  type LanguageModelFacts,
  languageModelConfig,
  tokenIds,
} from './language-model-config.ts';
import { CONFIG_FILE, jsonFile, modelsAs, type PackageFile, writePackage } from './package-folder.ts';
import type { ByPrecision } from './precisions.ts';

/** A student that says what comes next in a text, and is to leave in the layout of the Hugging Face hub. */
export interface LanguageModelPackage extends LanguageModelFacts {
  /** A decoder as it is trained, without a cache: output `logits`; float32. */
  readonly model: Graph;
  /** The same in int8, or null. */
  readonly quantized: Graph | null;
  /** The same in further precisions. */
  readonly further?: ByPrecision<Graph> | undefined;
  readonly architecture: DecoderArchitecture;
  /** tokenizer.json and tokenizer_config.json, as `Tokenizer.toPromptFiles` gives them. */
  readonly tokenizerFiles: readonly PackageFile[];
}

/**
 * Writes a language model as transformers.js loads it (`pipeline('text-generation', folder)`), and as Limbeck does
 * (`openTextGenerator`): its models keep keys and values (`withKeyValueCache`), `config.json` and `generation_config.json` name its
 * architecture and the tokens around texts. Throws as `writePackage`, and LimbeckError `export.no-cache`.
 */
export function writeLanguageModel(folder: string, content: LanguageModelPackage): void {
  const { model, architecture, tokenizerFiles } = content;
  const cached = withKeyValueCache(model);
  const models = modelsAs(content, (graph) => (graph === model ? cached : withKeyValueCache(graph)));
  writePackage(folder, models, [
    ...tokenizerFiles,
    jsonFile(CONFIG_FILE, languageModelConfig(architecture, { graph: model, cached }, content)),
    jsonFile('generation_config.json', tokenIds(content)),
  ]);
}
