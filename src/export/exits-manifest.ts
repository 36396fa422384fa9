import { z } from 'zod';

/** Beside `config.json`: how a network with exits is cut into parts. */
export const EXITS_FILE = 'exits.json';

const carriedSchema = z.object({
  name: z.string(),
  /** Whether its first axis is that of the samples. */
  rows: z.boolean(),
});

const partSchema = z.object({
  /** Relative to the package's folder, and inside of it. */
  file: z.string().regex(/^(?!.*\.\.)[\w][\w./-]*$/),
  /** The layer that its exit follows; absent for the last part. */
  layer: z.string().optional(),
  /** The least confidence by which a sample leaves after it; null where none does. */
  threshold: z.number().nullable(),
  /** What it reads of earlier parts, and what it gives to later ones. */
  takes: z.array(carriedSchema),
  gives: z.array(carriedSchema),
});
export type PartOfExits = z.infer<typeof partSchema>;

/** `exits.json` of a package: the parts of each of its model files, from the beginning to the end. */
export const exitsManifestSchema = z.object({
  version: z.literal(1),
  confidence: z.string(),
  /** The output of the whole model that is cut; each part calls its own `logits`. */
  output: z.string(),
  /** By the whole model's file: `onnx/model.onnx`, `onnx/model_quantized.onnx`. */
  forms: z.record(z.string(), z.array(partSchema).min(2)),
});
export type ExitsManifest = z.infer<typeof exitsManifestSchema>;
