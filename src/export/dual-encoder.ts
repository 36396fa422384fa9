import type { Graph } from '../onnx/graph.ts';
import { clipGraphs } from './clip-graphs.ts';
import { type FrozenEncoder, TRAINED_FILE, withoutEncoder } from './frozen-encoder.ts';
import { byFile, CONFIG_FILE, jsonFile, modelsAs, type PackageFile, writePackage } from './package-folder.ts';
import type { ByPrecision } from './precisions.ts';
import { clipSizes, givenTowerSizes } from './transformer-sizes.ts';

/** A dual encoder of texts and images that is to leave in the layout of the Hugging Face hub. */
export interface DualEncoderPackage {
  /** Inputs `input_ids`, `attention_mask` and `pixel_values`, outputs `text_embeds` and `image_embeds` of length 1; float32. */
  readonly model: Graph;
  /** The same in int8, or null. */
  readonly quantized: Graph | null;
  /** The same in further precisions. */
  readonly further?: ByPrecision<Graph> | undefined;
  /** The encoder that its text tower is, where that was not trained: what was trained is then written without it, too. */
  readonly encoder?: FrozenEncoder | undefined;
  /** The student's kind, as in the recipe. */
  readonly architecture: string;
  /** Numbers in a vector. */
  readonly width: number;
  /** The output of both vectors beside each other, by which a run measures pairs; none when absent. */
  readonly pairs?: string | undefined;
  /** What cosines are multiplied by before the softmax over texts. */
  readonly logitScale: number;
  readonly vocabularySize: number;
  readonly padTokenId: number;
  /** The special tokens that end every text; a text's vector is that of its last token. */
  readonly endIds?: readonly number[] | undefined;
  readonly maxLength: number;
  /** [channels, height, width]. */
  readonly dims: readonly [number, number, number];
  /** The tokenizer's files and preprocessor_config.json. */
  readonly files: readonly PackageFile[];
}

/**
 * Writes a dual encoder as transformers.js expects CLIP: `config.json`, the files of tokenizer and preprocessor,
 * `onnx/model.onnx` for both at once, `onnx/text_model.onnx` and `onnx/vision_model.onnx` for one alone; with a frozen encoder
 * also `onnx/trained_model.onnx`, for both over the encoder's vectors, which is all that a teacher needs where the encoder is at
 * hand. Throws as `writePackage`.
 */
export function writeDualEncoder(folder: string, content: DualEncoderPackage): void {
  const part = (name: 'model' | 'text' | 'vision') =>
    modelsAs(content, (graph) => clipGraphs(graph, content.logitScale, content.pairs)[name]);
  const files = [...content.files, jsonFile(CONFIG_FILE, clipConfig(content))];
  writePackage(folder, part('model'), files, {
    ...byFile(part('text'), 'text_model'),
    ...byFile(part('vision'), 'vision_model'),
    ...(content.encoder && { [TRAINED_FILE]: withoutEncoder(content.model, content.encoder) }),
  });
}

/** The content of `config.json`. */
function clipConfig(content: DualEncoderPackage): Record<string, unknown> {
  const { width, logitScale, dims, vocabularySize, padTokenId, maxLength, architecture, model, encoder } =
    content;
  const endId = content.endIds?.at(-1);
  const sizes = architecture === 'clip' ? clipSizes(model) : givenTowerSizes(model);
  return {
    // transformers.js chooses the class that runs a model by `model_type`, from a fixed list. CLIP's feeds tokens and pixels
    // together and reads `logits_per_image`, whatever the networks are.
    model_type: 'clip',
    architectures: ['CLIPModel'],
    projection_dim: width,
    logit_scale_init_value: Math.log(logitScale),
    text_config: {
      model_type: 'clip_text_model',
      projection_dim: width,
      vocab_size: vocabularySize,
      pad_token_id: padTokenId,
      // Otherwise transformers looks for the end of CLIP's own vocabulary.
      ...(endId !== undefined && { eos_token_id: endId }),
      max_position_embeddings: maxLength,
      ...sizes.text,
    },
    vision_config: {
      model_type: 'clip_vision_model',
      projection_dim: width,
      num_channels: dims[0],
      image_size: dims[1] === dims[2] ? dims[1] : [dims[1], dims[2]],
      ...sizes.image,
    },
    limbeck: { architecture, ...(encoder && { encoder: encoder.kind }) },
  };
}
