import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { withKeptEnd } from './kept-end.ts';
import { CONFIG_FILE, jsonFile, modelsAs, type PackageFile, writePackage } from './package-folder.ts';
import type { ByPrecision } from './precisions.ts';

/** A model that makes vectors of texts, and is to leave in the layout of the Hugging Face hub. */
export interface SentenceEmbedderPackage {
  /** Inputs `input_ids` and `attention_mask`, an output float32 [batch, width]. */
  readonly model: Graph;
  /** The same in int8, or null. */
  readonly quantized: Graph | null;
  /** The same in further precisions. */
  readonly further?: ByPrecision<Graph> | undefined;
  /** The output with the vectors. */
  readonly output: string;
  /** Whether vectors have length 1. */
  readonly normalize: boolean;
  readonly width: number;
  /** The student's kind, as in the recipe. */
  readonly architecture: string;
  readonly vocabularySize: number;
  readonly padTokenId: number;
  readonly maxLength: number;
  /** The special tokens that end every text, where it is cut too. */
  readonly endIds: readonly number[];
  /** tokenizer.json and tokenizer_config.json. */
  readonly tokenizerFiles: readonly PackageFile[];
}

/** What transformers.js pools. */
const TOKEN_VECTORS = 'last_hidden_state';
/** What readers look for that want no pooling. */
const SENTENCE_VECTOR = 'sentence_embedding';

/**
 * Writes a sentence embedder in the layout of sentence-transformers, which transformers.js reads as well
 * (`pipeline('feature-extraction', folder)` with `{ pooling: 'mean', normalize: true }`): `modules.json` with a transformer,
 * mean pooling and, for vectors of length 1, normalisation. Throws as `writePackage`.
 */
export function writeSentenceEmbedder(folder: string, content: SentenceEmbedderPackage): void {
  const shipped = (graph: Graph) => withTokenVectors(withKeptEnd(graph, content), content.output);
  writePackage(folder, modelsAs(content, shipped), [
    ...content.tokenizerFiles,
    jsonFile(CONFIG_FILE, embedderConfig(content)),
    ...moduleFiles(content),
  ]);
}

/**
 * A model with two outputs more: `sentence_embedding`, and `last_hidden_state`, [batch, sequence, width], that has the text's
 * vector at every token. Readers pool a vector for each token; of these, whatever the pooling (mean, first, last) and the
 * padding, they get the text's own, whether a student has tokens' vectors or none (a bag of n-grams, a maximum).
 */
export function withTokenVectors(graph: Graph, output: string): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    if (!type || !shape) throw new Error(`the input ${name} has no type or shape`);
    bound.set(name, g.input(name, type, shape));
  }
  const values = g.inline(graph, bound);
  const vector = values.get(output);
  const mask = bound.get('attention_mask');
  if (!vector || !mask) throw new Error(`the graph has no ${vector ? 'attention_mask' : output}`);
  for (const { name } of graph.outputs) g.output(values.get(name) as TypedValue, name);
  if (!graph.outputs.some(({ name }) => name === SENTENCE_VECTOR))
    g.output(g.identity(vector, SENTENCE_VECTOR));
  const ones = g.cast(g.greaterOrEqual(g.unsqueeze(mask, [2]), 0), 'float32');
  g.output(g.mul(ones, g.unsqueeze(vector, [1])), TOKEN_VECTORS);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}

/** The content of `config.json`. */
function embedderConfig(content: SentenceEmbedderPackage): Record<string, unknown> {
  return {
    // transformers.js chooses the class that runs a model by `model_type`, from a fixed list. DistilBERT's is the one that has
    // exactly our inputs.
    model_type: 'distilbert',
    architectures: ['DistilBertModel'],
    dim: content.width,
    hidden_size: content.width,
    vocab_size: content.vocabularySize,
    pad_token_id: content.padTokenId,
    max_position_embeddings: content.maxLength,
    limbeck: { architecture: content.architecture },
  };
}

/** What sentence-transformers reads (its `modules.json`, and a folder for each module). */
function moduleFiles({ width, normalize, maxLength }: SentenceEmbedderPackage): PackageFile[] {
  const modules = [
    { name: 'Transformer', path: '' },
    { name: 'Pooling', path: '1_Pooling' },
    ...(normalize ? [{ name: 'Normalize', path: '2_Normalize' }] : []),
  ].map(({ name, path }, idx) => ({
    idx,
    name: `${idx}`,
    path,
    type: `sentence_transformers.models.${name}`,
  }));
  return [
    jsonFile('modules.json', modules as unknown as Record<string, unknown>),
    jsonFile('sentence_bert_config.json', { max_seq_length: maxLength, do_lower_case: false }),
    jsonFile('config_sentence_transformers.json', { prompts: {}, similarity_fn_name: 'cosine' }),
    jsonFile('1_Pooling/config.json', {
      word_embedding_dimension: width,
      pooling_mode_cls_token: false,
      pooling_mode_mean_tokens: true,
      pooling_mode_max_tokens: false,
      pooling_mode_mean_sqrt_len_tokens: false,
    }),
    ...(normalize ? [jsonFile('2_Normalize/config.json', {})] : []),
  ];
}
