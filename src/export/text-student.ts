import type { Graph } from '../onnx/graph.ts';
import type { Head } from '../targets/head.ts';
import { withKeptEnd } from './kept-end.ts';
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
import { writeSentenceEmbedder } from './sentence-embedder.ts';
import { textArchitecture } from './text-architectures.ts';

/** A student over texts that is to leave in the layout of the Hugging Face hub. */
export interface TextStudentPackage {
  /** Inputs `input_ids` and `attention_mask`, an output for each head; float32. */
  readonly model: Graph;
  /** The same in int8, or null. */
  readonly quantized: Graph | null;
  /** The same in further precisions. */
  readonly further?: ByPrecision<Graph> | undefined;
  readonly addition?: PackageAddition | undefined;
  /** Its outputs, the main one first. */
  readonly heads: readonly Head[];
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

/**
 * Writes a text student in the layout that transformers.js and the Hugging Face hub expect: `config.json`, the
 * tokenizer's files and the models; of one that answers with a vector alone, what sentence-transformers reads beside them.
 * Throws as `writePackage`.
 */
export function writeTextStudent(folder: string, content: TextStudentPackage): void {
  const [main, ...others] = content.heads as [Head, ...Head[]];
  if (main.target.kind === 'embedding' && others.length === 0) {
    const { output, options, space } = main;
    const { width } = space as { readonly width: number };
    writeSentenceEmbedder(folder, { ...content, output, width, normalize: options.normalize !== false });
    return;
  }
  const shipped = (graph: Graph) => withKeptEnd(graph, content);
  const added = additionAs(content.addition, shipped);
  writePackage(
    folder,
    modelsAs(content, shipped),
    [...content.tokenizerFiles, jsonFile(CONFIG_FILE, textStudentConfig(content)), ...added.files],
    added.models,
  );
}

/** How the class of transformers that a head belongs to ends, by the kind of its target; a model without a head otherwise. */
const CLASSES: Readonly<Record<string, string>> = {
  class: 'ForSequenceClassification',
  classes: 'ForSequenceClassification',
  number: 'ForSequenceClassification',
  'token-classes': 'ForTokenClassification',
};

/** The content of `config.json`. */
function textStudentConfig({ heads, ...content }: TextStudentPackage): Record<string, unknown> {
  const [main, ...others] = heads as [Head, ...Head[]];
  return {
    ...textArchitecture(content.architecture, content.model, CLASSES[main.target.kind] ?? 'Model'),
    ...main.target.config(main.space, main.options, main.tuned),
    vocab_size: content.vocabularySize,
    pad_token_id: content.padTokenId,
    max_position_embeddings: content.maxLength,
    limbeck: {
      architecture: content.architecture,
      ...(others.length > 0 && {
        outputs: Object.fromEntries(
          others.map(({ output, target, space, options, tuned }) => [
            output,
            { target: target.kind, ...target.config(space, options, tuned) },
          ]),
        ),
      }),
    },
  };
}
