import type { Graph } from '../onnx/graph.ts';
import { type TransformerSizes, transformerSizes } from './transformer-sizes.ts';

/** Of a student over texts that leaves as an architecture of transformers. */
interface TextArchitecture {
  /** Names of classes begin with it: `AlbertForSequenceClassification`. */
  readonly prefix: string;
  /** What follows the prefix where transformers.js has no class of this architecture. */
  readonly lacks: readonly string[];
  /** The sizes in `config.json`. @param sizes read from the graph: a student may have been pruned */
  config(sizes: TransformerSizes): Record<string, unknown>;
}

const EMBEDDINGS = 'embeddings/word_embeddings/weight';
const PLAIN = { layer_norm_eps: 1e-12, type_vocab_size: 1 };

/** By the student's kind in a recipe. */
const ARCHITECTURES: Readonly<Record<string, TextArchitecture>> = {
  bert: {
    prefix: 'Bert',
    lacks: [],
    config: ({ layers, heads, inner, size }) => ({
      model_type: 'bert',
      hidden_size: size(EMBEDDINGS, 1),
      num_hidden_layers: layers,
      num_attention_heads: heads,
      intermediate_size: inner,
      hidden_act: 'gelu',
      ...PLAIN,
    }),
  },
  albert: {
    prefix: 'Albert',
    lacks: ['ForTokenClassification'],
    config: ({ layers, heads, inner, size }) => ({
      model_type: 'albert',
      embedding_size: size(EMBEDDINGS, 1),
      hidden_size: size('encoder/embedding_hidden_mapping_in/weight', 1),
      num_hidden_layers: layers,
      num_hidden_groups: 1,
      inner_group_num: 1,
      num_attention_heads: heads,
      intermediate_size: inner,
      hidden_act: 'gelu_new',
      ...PLAIN,
    }),
  },
  distilbert: {
    prefix: 'DistilBert',
    lacks: [],
    config: ({ layers, heads, inner, size }) => ({
      model_type: 'distilbert',
      dim: size(EMBEDDINGS, 1),
      n_layers: layers,
      n_heads: heads,
      hidden_dim: inner,
      activation: 'gelu',
      sinusoidal_pos_embds: false,
    }),
  },
};

/**
 * What `config.json` says of the architecture of a student over texts: `model_type`, `architectures` and, where transformers has
 * the architecture, its sizes.
 *
 * @param kind the student's, as in the recipe
 * @param end of the class's name: `ForSequenceClassification`, `Model`
 */
export function textArchitecture(kind: string, graph: Graph, end: string): Record<string, unknown> {
  const found = Object.hasOwn(ARCHITECTURES, kind) ? ARCHITECTURES[kind] : undefined;
  if (!found || found.lacks.includes(end)) {
    // transformers.js chooses the class that runs a model by `model_type`, from a fixed list, and feeds it by the
    // model's own input names. DistilBERT's is the one that has exactly our inputs (no token types).
    const { layers, heads, width, inner } = transformerSizes(graph);
    return {
      model_type: 'distilbert',
      architectures: [`DistilBert${end}`],
      ...(heads !== undefined && { dim: width, n_layers: layers, n_heads: heads, hidden_dim: inner }),
    };
  }
  return { architectures: [`${found.prefix}${end}`], ...found.config(transformerSizes(graph)) };
}
