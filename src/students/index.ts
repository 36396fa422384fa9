import type { z } from 'zod';
import { registry } from '../registry.ts';
import { albert } from './albert.ts';
import { audioConv } from './audio-conv.ts';
import type { Backbone, ModalityName } from './backbone.ts';
import { bert } from './bert.ts';
import { clip } from './clip.ts';
import { cut } from './cut.ts';
import { distilbert } from './distilbert.ts';
import { dualEncoder } from './dual-encoder.ts';
import { efficientnetLite } from './efficientnet-lite.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { mobilenetV3 } from './mobilenet-v3.ts';
import { onnxFile } from './onnx-file.ts';
import { resnet } from './resnet.ts';
import { staticEmbedding } from './static-embedding.ts';
import { textAttention } from './text-attention.ts';
import { textConv } from './text-conv.ts';
import { textNgrams } from './text-ngrams.ts';
import { vit } from './vit.ts';
import { wav2vec2 } from './wav2vec2.ts';

/** The backbones that a recipe's student can have. To add one: a file beside these, and a line here. */
export const BACKBONES = registry('student', [
  textConv,
  textNgrams,
  textAttention,
  staticEmbedding,
  bert,
  albert,
  distilbert,
  gpt2,
  llama,
  resnet,
  mobilenetV3,
  efficientnetLite,
  vit,
  audioConv,
  wav2vec2,
  dualEncoder,
  clip,
]);

/** Those that are made of a model that is given: their options alone build nothing. */
export const GIVEN_STUDENTS = /* @__PURE__ */ registry('student of a model', [onnxFile, cut]);

/** A backbone of the registry that reads a modality. */
export function backboneFor<M extends ModalityName>(kind: string, modality: M): Backbone<z.ZodObject, M> {
  const found = BACKBONES.find((one) => one.kind === kind);
  if (!found?.accepts.some((accepted) => accepted === modality))
    throw new Error(`no student ${kind} that reads ${modality}`);
  return found as unknown as Backbone<z.ZodObject, M>;
}
